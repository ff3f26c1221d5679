import { defineConfig } from '@playwright/test';
import { findBrowser } from '../../tools/browser/find.mjs';

export default defineConfig({
  testDir: 'src',
  testMatch: '*.e2e.ts',
  // Pictures are for people to look at: SCREENSHOTS=/some/folder takes them.
  testIgnore: process.env['SCREENSHOTS'] === undefined ? 'pictures.e2e.ts' : [],
  outputDir: 'test-results',
  reporter: 'list',
  forbidOnly: true,
  fullyParallel: true,
  workers: 2,
  timeout: 30_000,
  use: {
    browserName: 'chromium',
    // Root cannot use Chromium's own sandbox, nor can most containers.
    launchOptions: { ...findBrowser(), chromiumSandbox: false },
    viewport: { width: 1280, height: 900 },
    trace: 'retain-on-failure',
  },
});
