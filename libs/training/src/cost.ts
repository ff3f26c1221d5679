import { readFileSync, writeFileSync } from 'node:fs';

/** What a process took, from some moment on. */
export interface Cost {
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/**
 * Begins to measure what this process takes; the function that it returns says what it was until then. The peak is that of the span under
 * Linux, where the kernel can be told to forget earlier ones, and that of the process's life elsewhere.
 */
export function measureCost(): () => Cost {
  const before = process.cpuUsage();
  const isReset = resetPeak();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { cpuSeconds: (user + system) / 1e6, peakBytes: (isReset ? peakOfLinux() : null) ?? process.resourceUsage().maxRSS * 1024 }; // prettier-ignore
  };
}

/** Sets the peak to what is held now. */
function resetPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false; // another system, or one that forbids it
  }
}

function peakOfLinux(): number | null {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return found === null ? null : Number(found[1]) * 1024;
}
