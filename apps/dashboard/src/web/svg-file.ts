/** What a drawing takes from the style sheet and a file of its own must have written down. */
const PROPERTIES = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-opacity',
  'stroke-dasharray',
  'paint-order',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
] as const;

/** A drawing of the page as an SVG file that stands alone, in the colours that the page has now. */
export function svgFile(drawing: SVGSVGElement): string {
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  const copies = copy.querySelectorAll('*');
  for (const [k, element] of [...drawing.querySelectorAll('*')].entries()) {
    const style = getComputedStyle(element);
    for (const property of PROPERTIES) copies[k]?.setAttribute(property, style.getPropertyValue(property));
    copies[k]?.removeAttribute('class');
  }
  const { width, height } = drawing.viewBox.baseVal;
  const ground = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  ground.setAttribute('width', String(width));
  ground.setAttribute('height', String(height));
  ground.setAttribute('fill', getComputedStyle(document.documentElement).getPropertyValue('--panel').trim());
  copy.prepend(ground);
  for (const name of ['class', 'role', 'tabindex']) copy.removeAttribute(name);
  copy.setAttribute('width', String(width));
  copy.setAttribute('height', String(height));
  return `${new XMLSerializer().serializeToString(copy)}\n`;
}
