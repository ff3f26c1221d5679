import { existsSync, statSync } from 'node:fs';
import { hashOfFile } from '@towerbench/tracking';
import { readSafetensors, type TensorFile, type WrittenFile } from './safetensors.js';

/** The best evaluation so far; step 0 before the first one. */
export interface Best {
  value: number;
  step: number;
  written: WrittenFile;
  /** Evaluations since then. */
  misses: number;
}

/** Sums of series since the last point, to be averaged over steps. */
export interface LossWindow {
  started: number;
  steps: number;
  readonly sums: Map<string, number>;
}

/** What the training loop knows beside the trainer's own state. */
export interface LoopState {
  readonly best: Best;
  readonly window: LossWindow;
}

/** The two files from which a run can go on: its best checkpoint, and what was saved since. */
export interface ResumeFiles {
  readonly checkpoint: string;
  readonly state: string;
}

/** The file that is further, with its step. */
export interface ResumePoint {
  readonly file: string;
  readonly step: number;
}

const NOT_WRITTEN: WrittenFile = { sha256: '', sizeBytes: 0 };

/** The loop before its first step. */
export function newLoop(): LoopState {
  return { best: { value: NaN, step: 0, written: NOT_WRITTEN, misses: 0 }, window: emptyWindow() };
}

export function emptyWindow(): LossWindow {
  return { started: performance.now(), steps: 0, sums: new Map() };
}

/** The state as an entry of a checkpoint's metadata. `written` is left out of the best checkpoint itself, whose hash it would be. */
export function loopText({ best, window }: LoopState, { isBest }: { readonly isBest: boolean }): string {
  const { value, step, misses, written } = best;
  return JSON.stringify({
    best: { value: Number.isNaN(value) ? null : value, step, misses, ...(isBest ? {} : { written }) },
    window: { steps: window.steps, sums: [...window.sums] },
  });
}

/**
 * Where a run can go on; null when it has to begin anew. What was saved since the best checkpoint counts only beside that very checkpoint:
 * a process may have been killed between the two.
 */
export function resumePoint({ checkpoint, state }: ResumeFiles): ResumePoint | null {
  const best = existsSync(checkpoint) ? savedLoop(checkpoint) : null;
  const saved = existsSync(state) ? savedLoop(state) : null;
  if (saved !== null) {
    const { step, written } = saved.loop.best;
    if (best === null ? step === 0 : writtenFile(checkpoint).sha256 === written.sha256)
      return { file: state, step: saved.step };
  }
  return best === null ? null : { file: checkpoint, step: best.step };
}

/** The loop as it was saved in the file of a resume point. */
export function restoredLoop(file: string, { checkpoint }: Pick<ResumeFiles, 'checkpoint'>): LoopState {
  const { loop } = savedLoop(file) as Saved; // a resume point has one
  return file === checkpoint ? { ...loop, best: { ...loop.best, written: writtenFile(checkpoint) } } : loop;
}

interface Saved {
  readonly step: number;
  readonly loop: LoopState;
}

interface SavedText {
  readonly best: {
    readonly value: number | null;
    readonly step: number;
    readonly misses: number;
    readonly written?: WrittenFile;
  };
  readonly window: { readonly steps: number; readonly sums: readonly (readonly [string, number])[] };
}

/** null for a checkpoint without the state of a loop, as a baseline leaves, and for a file that is not whole. */
function savedLoop(path: string): Saved | null {
  try {
    return readSafetensors(path, loopOf);
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) return null;
    throw error;
  }
}

function loopOf({ metadata }: TensorFile): Saved | null {
  const text = metadata['loop'];
  if (text === undefined) return null;
  const { best, window } = JSON.parse(text) as SavedText;
  return {
    step: Number(metadata['step']),
    loop: {
      best: { ...best, value: best.value ?? NaN, written: best.written ?? NOT_WRITTEN },
      window: { ...emptyWindow(), steps: window.steps, sums: new Map(window.sums) },
    },
  };
}

function writtenFile(path: string): WrittenFile {
  return { sha256: hashOfFile(path), sizeBytes: statSync(path).size };
}
