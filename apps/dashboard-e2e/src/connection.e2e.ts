import type { Page } from '@playwright/test';
import { expect, test } from './dashboard.js';
import { experimentInput, sweep } from './sweep.js';

const NAME = 'senet-on-field-noise';
const experiments = (page: Page) => page.getByRole('group', { name: 'Experiments' }).getByRole('link');

/** What the browser itself reports while nothing listens at the address. */
const forgetLostRequests = (complaints: string[]): void => {
  expect(complaints.filter((text) => !/net::ERR_/.test(text))).toEqual([]);
  complaints.length = 0;
};

/** Tells the page that its tab is in front or behind others, as the browser does. */
const turn = (page: Page, state: 'visible' | 'hidden'): Promise<void> =>
  page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);

test('a page lives on when the server is started again', async ({ page, dashboard, complaints }) => {
  const writer = dashboard.writer();
  sweep(writer, NAME);
  await page.goto('/');
  await expect(page.getByText('live', { exact: true })).toBeVisible();

  await dashboard.stop();
  await expect(page.getByText('connection lost, trying again')).toBeVisible();
  sweep(writer, 'second-experiment');
  await dashboard.start();
  await expect(page.getByText('live', { exact: true })).toBeVisible();
  await expect(experiments(page)).toHaveText(['second-experiment', NAME]);
  sweep(writer, 'third-experiment');
  await expect(experiments(page)).toHaveText(['third-experiment', 'second-experiment', NAME]);
  forgetLostRequests(complaints);
});

test('what was asked while the server was away is asked again, though the store is as it was', async ({
  page,
  dashboard,
  complaints,
}) => {
  const [run] = sweep(dashboard.writer(), NAME);
  await page.goto(`/experiments/${NAME}`);
  await expect(page.getByRole('link', { name: `run ${run!.id}`, exact: true })).toBeVisible();
  await page.goto(`/runs/${run!.id}`);
  await expect(page.getByRole('heading', { level: 1, name: 'base, seed 1' })).toBeVisible();
  await dashboard.stop();
  await page.getByRole('link', { name: 'Towerbench' }).click();
  await expect(page.getByRole('alert')).toHaveText('the server does not answer');
  await dashboard.start();
  await expect(experiments(page)).toHaveText([NAME]);
  forgetLostRequests(complaints);
});

test('more tabs than a browser has connections to one server all show the store', async ({ page, dashboard }) => {
  const writer = dashboard.writer();
  sweep(writer, NAME);
  const tabs: Page[] = [];
  for (let tab = 0; tab < 8; tab++) {
    const other = await page.context().newPage();
    await other.goto('/');
    await expect(experiments(other)).toHaveText([NAME]);
    await turn(other, 'hidden');
    tabs.push(other);
  }
  writer.plan(experimentInput('second-experiment'));
  await turn(tabs[0]!, 'visible');
  await expect(experiments(tabs[0]!)).toHaveText(['second-experiment', NAME]);
  await expect(tabs[0]!.getByText('live', { exact: true })).toBeVisible();
});
