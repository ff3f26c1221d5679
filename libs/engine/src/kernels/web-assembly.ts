/** The part of the WebAssembly API that is used here; Node's types leave it to the browser's. */
export interface WebAssemblyMemory {
  readonly buffer: ArrayBuffer;
}

interface WebAssemblyInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

interface WebAssemblyApi {
  readonly Memory: new (descriptor: { initial: number; maximum?: number }) => WebAssemblyMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => WebAssemblyInstance;
  validate(bytes: Uint8Array): boolean;
  instantiate: (
    module: unknown,
    imports: object,
  ) => Promise<WebAssemblyInstance | { readonly instance: WebAssemblyInstance }>;
}

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** Exports of what `instantiate` gave, which is an instance or a pair with one. */
export function exportsOf(result: Awaited<ReturnType<WebAssemblyApi['instantiate']>>): WebAssemblyInstance['exports'] {
  return 'instance' in result ? result.instance.exports : result.exports;
}
