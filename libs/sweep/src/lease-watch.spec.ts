import { describe, expect, it } from 'vitest';
import { LeaseWatch } from './lease-watch.js';

/** A watch on this machine, with a clock that is moved by hand. */
function watchOn(running: readonly number[]) {
  const clock = { ms: 0 };
  const watch = new LeaseWatch({ host: 'here', isRunning: (pid) => running.includes(pid), now: () => clock.ms });
  const holder = { attemptId: 1, host: 'here', pid: 7, renewals: 0 };
  /** Looks once a second. */
  const look = (seconds: number, at: typeof holder): boolean => {
    let isHeld = true;
    for (let k = 0; k < seconds; k++, clock.ms += 1000) isHeld = watch.isHeld(at);
    return isHeld;
  };
  return { clock, watch, holder, look };
}

describe('a lease', () => {
  it('is over at once when its process is gone, and within 15 seconds when that does not renew it', () => {
    const { watch, holder, look } = watchOn([7]);
    expect(watch.isHeld({ ...holder, pid: 8 })).toBe(false);
    expect(look(11, holder)).toBe(true);
    expect(look(4, holder)).toBe(false);
  });

  it('is held as long as it is renewed, however late that is seen', () => {
    const { clock, look, holder } = watchOn([7]);
    expect(look(11, holder)).toBe(true);
    expect(look(11, { ...holder, renewals: 1 })).toBe(true);
    clock.ms += 3_600_000;
    expect(look(1, { ...holder, renewals: 2 })).toBe(true);
  });

  it('does not end while its watcher sleeps', () => {
    const { clock, look, holder } = watchOn([7]);
    expect(look(2, holder)).toBe(true);
    clock.ms += 3_600_000;
    expect(look(2, holder)).toBe(true);
  });

  it('of another machine, whose processes cannot be asked for, ends when it is not renewed', () => {
    const { look, holder } = watchOn([]);
    expect(look(11, { ...holder, host: 'there' })).toBe(true);
    expect(look(4, { ...holder, host: 'there' })).toBe(false);
  });
});
