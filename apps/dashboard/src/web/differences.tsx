import type { ConfigDifference } from '../contract/payloads.js';
import { json } from './format.js';
import { ScrollBox } from './parts.js';

/** Where the variants' configs differ: a row per path, a column per variant. */
export function Differences({
  variants,
  differences,
}: {
  readonly variants: readonly string[];
  readonly differences: readonly ConfigDifference[];
}) {
  if (variants.length < 2) return <p className="muted">There is one variant, so nothing differs.</p>;
  if (differences.length === 0) return <p className="muted">The variants have one and the same config.</p>;
  return (
    <ScrollBox label="What differs" tall>
      <table className="pinned">
        <thead>
          <tr>
            <th scope="col">Path</th>
            {variants.map((variant) => (
              <th key={variant} scope="col">
                {variant}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {differences.map(({ path, values }) => (
            <tr key={path}>
              <th scope="row">
                <code>{path}</code>
              </th>
              {variants.map((variant) => (
                <td key={variant}>
                  <code>{json(values[variant])}</code>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
