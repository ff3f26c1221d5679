/** The engine of specs that must hold on any: simd, unless `npx nx run engine:conformance-tensorflow` names another. */
export const engineUnderTest = (process.env['TOWERBENCH_TEST_ENGINE'] ?? 'simd') as 'simd' | 'tensorflow';
