import { describe, expect, it } from 'vitest';
import { isSupportedNode, nativeFailure } from './doctor.js';

describe('nativeFailure', () => {
  it('says of which Node a module is that another one compiled, however deep that is told', () => {
    const told = new Error('was compiled against a different Node.js version using\nNODE_MODULE_VERSION 108. This one');
    const found = `compiled for ABI 108, and this Node has ABI ${process.versions.modules}`;
    expect(nativeFailure(told)).toBe(found);
    expect(nativeFailure(new Error(':memory: cannot be used', { cause: told }))).toBe(found);
  });

  it('is the first line of anything else', () => {
    expect(nativeFailure(new Error('no such file\nat somewhere'))).toBe('no such file');
    expect(nativeFailure('a text')).toBe('a text');
  });
});

describe('isSupportedNode', () => {
  it.each(['20.19.0', '20.20.2', '22.13.0', '22.23.5', '24.0.0', '26.12.1'])('takes %s', (version) => {
    expect(isSupportedNode(version)).toBe(true);
  });

  it.each(['18.20.8', '20.18.3', '21.7.3', '22.12.0', '23.11.1'])('refuses %s', (version) => {
    expect(isSupportedNode(version)).toBe(false);
  });
});
