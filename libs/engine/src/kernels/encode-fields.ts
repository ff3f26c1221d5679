import { sharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';
import { denseLayers, layered, requireFitting, weightsOf, type DenseLayer } from './dense-layers.js';
import { onTape } from './differentiable.js';
import { l2Normalize, normalized } from './l2-normalize.js';
import { poolRows, pooled, type PooledField } from './pool-rows.js';

/** The embedded fields of a batch and the layers that they go through. */
export interface EncodedFields {
  /** [rows, dim] */
  readonly rows: tf.Tensor2D;
  readonly size: number;
  readonly fields: readonly PooledField[];
  readonly layers: readonly DenseLayer[];
  readonly normalize: boolean;
}

/**
 * A whole tower: what `poolRows`, `denseLayers` of the fields side by side, and `l2Normalize` where asked, make one after the other. On the
 * simd engine it is one node of the tape; a node costs as much as a small layer.
 *
 * @shape result [size, units of the last layer]
 * @throws {RangeError} when a layer does not take what the one before gives
 */
export function encodeFields(inputs: EncodedFields): tf.Tensor2D {
  const { rows, size, fields, layers, normalize } = inputs;
  const backend = sharedBackend();
  if (backend === null || layers.length === 0) return encodeInSteps(inputs);
  requireFitting(fields.length * rows.shape[1], layers);
  return onTape([rows, ...weightsOf(layers)], () => {
    const embedded = pooled(rows, size, fields, backend);
    const outputs = layered(embedded.value, layers, backend);
    const vectors = normalize ? normalized(outputs.value, backend) : null;
    return {
      value: (vectors ?? outputs).value,
      gradients(dy) {
        const [dOutputs = dy] = vectors === null ? [] : vectors.gradients(dy);
        const [dEmbedded, ...dWeights] = outputs.gradients(dOutputs) as [tf.Tensor, ...tf.Tensor[]];
        return [...embedded.gradients(dEmbedded), ...dWeights];
      },
    };
  });
}

/** The same as ops of their own; what the fused op is compared with. */
export function encodeInSteps({ rows, size, fields, layers, normalize }: EncodedFields): tf.Tensor2D {
  const x = tf.reshape<tf.Rank.R2>(poolRows(rows, size, fields), [size, fields.length * rows.shape[1]]);
  const y = denseLayers(x, layers);
  return normalize ? l2Normalize(y) : y;
}
