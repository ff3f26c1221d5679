import { loadavg } from 'node:os';

/** Work whose speed is measured. */
export interface Subject {
  /** What is counted, in the plural: `examples`, `queries`, `gflop`. */
  readonly unit: string;
  /** What the work is, for the record: `batch_size`, `embedding` ... */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Does a small piece of the work; returns how many units that was. */
  run(): number;
}

/** A stretch of work. */
export interface Window {
  readonly amount: number;
  readonly seconds: number;
  /** Processor time of the whole process, its compiler and garbage collector included. */
  readonly cpuSeconds: number;
}

/** How long and how often is measured. */
export interface Pace {
  readonly windows: number;
  readonly windowSeconds: number;
}

/** Repeats the work until `seconds` are over, at least once. */
export function measureWindow({ run }: Pick<Subject, 'run'>, seconds: number): Window {
  let amount = 0;
  const start = performance.now();
  const startCpu = process.cpuUsage();
  for (;;) {
    amount += run();
    const elapsed = (performance.now() - start) / 1000;
    if (elapsed < seconds) continue;
    const { user, system } = process.cpuUsage(startCpu);
    return { amount, seconds: elapsed, cpuSeconds: (user + system) / 1e6 };
  }
}

/** Warms every subject up, then measures windows of all in turns, so that a change of the machine meets them alike. */
export function measureInTurns(subjects: readonly Subject[], { windows, windowSeconds }: Pace): Window[][] {
  for (const subject of subjects) measureWindow(subject, windowSeconds);
  const measured = subjects.map((): Window[] => []);
  for (let round = 0; round < windows; round++) {
    for (const [index, subject] of subjects.entries()) measured[index]?.push(measureWindow(subject, windowSeconds));
  }
  return measured;
}

/** Rates of `windows` as fields of a record: medians, and the lowest and highest per second of processor time. */
export function rateFields(unit: string, windows: readonly Window[]): Record<string, unknown> {
  const perCpuSecond = windows.map(({ amount, cpuSeconds }) => amount / cpuSeconds);
  return {
    [`${unit}_per_second`]: rounded(median(windows.map(({ amount, seconds }) => amount / seconds))),
    [`${unit}_per_cpu_second`]: rounded(median(perCpuSecond)),
    [`${unit}_per_cpu_second_range`]: [rounded(Math.min(...perCpuSecond)), rounded(Math.max(...perCpuSecond))],
    windows: windows.length,
    load: rounded(loadavg()[0] as number),
  };
}

/** The middle value, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/** Four digits: more than any of this is good for. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
