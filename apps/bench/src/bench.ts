import type { Subject } from './measure.js';
import type { Settings } from './settings.js';

/** What `--bench` can name: subjects that are measured in turns, or a measurement of its own kind. */
export type Bench = {
  readonly name: string;
  readonly summary: string;
  /** Writes what is worked on for other programs; the reference step's data by default. */
  exportInputs?(settings: Settings, folder: string): void;
} & (
  | { subjects(settings: Settings): readonly Subject[] }
  | { records(settings: Settings): Promise<readonly Readonly<Record<string, unknown>>[]> }
);
