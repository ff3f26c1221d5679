import type { TrialConfig } from '@towerbench/config';
import type { ExecutedRun, Places, RunFiles, RunProgress, TeacherRun } from '@towerbench/training';

/** What the coordinator asks of a worker; one thing at a time. */
export type Order =
  | {
      readonly type: 'run';
      readonly config: TrialConfig;
      readonly seed: number;
      /** What has to compute: see `Engine.build`. */
      readonly build: string;
      /** What the data must be. */
      readonly fingerprint: string;
      readonly places: Places;
      /** File that takes the points, see `openSpool`. */
      readonly spool: string;
      /** File that takes the best checkpoint. */
      readonly checkpoint: string;
      /** The metric that the sweep is about. */
      readonly objective: string;
      readonly files: RunFiles;
      /** Set where `checkpoint` and `files.state` hold what an attempt before has left. */
      readonly resume: { readonly secondsBefore: number } | null;
      /** The finished run that teaches it; null where none does. */
      readonly teacher: TeacherRun | null;
      /** Process that gives the order, and that takes over what the spool holds as long as it lives. */
      readonly coordinator: number;
    }
  | { readonly type: 'oracle'; readonly config: TrialConfig; readonly places: Places };

/** What a worker answers: any number of `progress` and `log`, then one of the others. */
export type Answer =
  | ({ readonly type: 'progress' } & RunProgress)
  | { readonly type: 'log'; readonly text: string }
  | { readonly type: 'executed'; readonly run: ExecutedRun }
  | { readonly type: 'oracle'; readonly metrics: Readonly<Record<string, number>> | null }
  | { readonly type: 'failed'; readonly error: string };
