import * as tf from '@tensorflow/tfjs-core';

/** TensorFlow.js core: the one tensor and gradient API. No other file of the workspace imports it. */
export { tf };
