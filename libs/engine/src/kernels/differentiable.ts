import { tf } from '../tf.js';

/** A value, and the gradients of what it was made of from the gradient of it. Several of them in a row can be one node of the tape. */
export interface Differentiable<T extends tf.Tensor> {
  readonly value: T;
  gradients(dy: tf.Tensor): tf.Tensor[];
}

/** `run` as one node of the tape, differentiable in `inputs`. What its gradients need of tensors they have to hold for themselves. */
export function onTape<T extends tf.Tensor>(inputs: readonly tf.Tensor[], run: () => Differentiable<T>): T {
  const op = tf.customGrad<T>(() => {
    const { value, gradients } = run();
    return { value, gradFunc: gradients };
  });
  return op(...inputs);
}
