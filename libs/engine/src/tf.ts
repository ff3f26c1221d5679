import * as tf from '@tensorflow/tfjs-core';
// The core package alone knows no gradients; the union package registers them, and there is no other way in under Node.
import '@tensorflow/tfjs';

/** TensorFlow.js core: the one tensor and gradient API. No other file of the workspace imports it. */
export { tf };
