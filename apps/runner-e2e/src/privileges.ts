import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from './command.js';

/** A user who owns nothing: what root may write whatever its mode, others may not. */
export const NOBODY = 65534;

/** Whether a small file system can be made here, which takes root. */
export const canMount = ((): boolean => {
  const target = mkdtempSync(join(tmpdir(), 'towerbench-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', target], { stdio: 'ignore' });
    execFileSync('umount', [target]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
})();

/** Whether the program can be run as nobody, which takes root and a workspace that all may read. */
export const canBeNobody = ((): boolean => {
  try {
    execFileSync(process.execPath, [program, '--help'], { uid: NOBODY, gid: NOBODY, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
