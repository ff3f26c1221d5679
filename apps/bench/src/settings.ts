import type { EngineName } from '@towerbench/engine';
import type { Places } from '@towerbench/training';
import type { Product } from './benches/gemm.js';
import type { Search } from './benches/top-k.js';
import type { Pace } from './measure.js';

/** The command line, read and checked; null leaves a choice to the bench. */
export interface Settings extends Pace {
  readonly root: string;
  readonly places: Places;
  readonly backend: EngineName;
  readonly ids: 'zipf' | 'movielens-1m' | null;
  readonly batchSize: number | null;
  readonly embedding: 'dense' | 'lazy' | null;
  readonly embeddingDim: number;
  readonly numUsers: number | null;
  /** The one model of `model-step`; null for all. */
  readonly model: string | null;
  /** Steps of `soak`. */
  readonly steps: number | null;
  /** The one product of `gemm`; null for all. */
  readonly product: Product | null;
  /** The one search of `topk`; null for all. */
  readonly search: Search | null;
  /** Makes every training row a user and an item of its own, so that none is encoded once for several rows. */
  readonly separateRows: boolean;
}
