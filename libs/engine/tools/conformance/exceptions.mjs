/**
 * @typedef {object} Exception Tests that do not hold on an engine, and why.
 * @property {RegExp} [test] its full name, e.g. `matmul test-wasm {} A x B`; any when left out
 * @property {RegExp} [says] one of its messages; any when left out
 * @property {string} reason
 * @property {true} [mayHold] Left out, a test must fail for it, so that the list has nothing in it that is over. Otherwise it depends on the
 * processor: where it has AVX-512 VNNI or AMX, libtensorflow convolves by oneDNN.
 */

/** Unless it may hold, every one must match a test that fails; upstream leaves the same tests out. @type {Readonly<Record<string, readonly Exception[]>>} */
export const exceptions = {
  simd: [
    {
      says: /Kernel '\w+' not registered for backend 'wasm'/,
      reason: 'the official backend does not have an op beside ours',
    },
    {
      says: /the simd engine computes it for float32 only/,
      reason: 'the official backend refuses other types as well; nothing here makes them',
    },
    {
      test: /^threshold .* method otsu/,
      says: /could not be broadcast together with shapes \d+ and \d+,256/,
      reason: "the official backend's bincount takes an image for a batch of rows",
    },
  ],
  tensorflow: [
    { says: /Kernel '\w+' not registered for backend 'tensorflow'/, reason: 'tfjs-node does not have the op' },
    {
      says: /^Error: TF Backend supports only 'valid' and 'same' padding/,
      reason: 'tfjs-node has no padding by numbers',
    },
    {
      says: /only supports the NHWC tensor format on the CPU|FusedConv2D does not support dataFormat:'NCHW'/,
      reason: 'libtensorflow convolves channels-last on a CPU only',
    },
    {
      says: /Current kernel implementation does not support dilations|descriptor for a dilated convolution/,
      reason:
        'libtensorflow has no dilated depthwise convolution on a CPU; one test finds that in other words than it expects',
      mayHold: true,
    },
    {
      says: /is not in the list of allowed values/,
      reason: 'libtensorflow has no such op for this type: order of strings, int32 leakyRelu and step, bool diag',
    },
    {
      test: /^scatterND /,
      says: /must match dimensions \[0,\d\) of updates/,
      reason: 'core takes a list of indices for coordinates of one axis, libtensorflow asks for that axis',
    },
    {
      test: /^avgPool3d .* f=\[1,1,3\]/,
      says: /Computed output size would be negative/,
      reason: 'libtensorflow refuses a window that is longer than the input, core gives an empty result',
    },
    {
      test: /^conv2dTranspose .* input=8x8x8/,
      says: /Size of out_backprop doesn't match/,
      reason: 'the shapes of this test are not those of `same` padding, which libtensorflow checks',
      mayHold: true,
    },
    {
      test: /^einsum .* (duplicate axes not implemented yet|nonexistent dimension throws error)$/,
      reason: 'libtensorflow computes what core does not, and ignores what core refuses',
    },
    { test: /^sign /, says: /= NaN/, reason: 'the sign of NaN is NaN in libtensorflow and 0 in core' },
    { test: /^unique .* with NaN/, reason: 'NaN does not equal itself in libtensorflow' },
    {
      test: /^tan .* exceed float32 precision$/,
      reason: 'the last bit of float32, where the tolerance does not reach',
    },
    {
      test: /^multinomial .* same seed$/,
      reason: 'libtensorflow keeps the generator between two calls',
    },
  ],
};
