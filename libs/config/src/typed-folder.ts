/** The folder in which a person types: npm and Nx change it and say where it was. */
export function typedFolder(): string {
  return process.env['INIT_CWD'] ?? process.cwd();
}
