import { violations } from './accessibility.js';
import { expect, test } from './dashboard.js';
import { sweep } from './sweep.js';

const NAME = 'senet-on-field-noise';
const TOKEN = 'a-token/of+some=length';

test.use({ token: TOKEN });

/** What the browser itself reports of an answer that needs the token. */
const forgetRefusals = (complaints: string[]): void => {
  expect(complaints.filter((text) => !/status of 401/.test(text))).toEqual([]);
  complaints.length = 0;
};

test('the address that the server has printed opens the dashboard, and the token is not left in it', async ({
  page,
  dashboard,
}) => {
  sweep(dashboard.writer(), NAME);
  expect(dashboard.printed).toBe(`${dashboard.address}/#token=${encodeURIComponent(TOKEN)}`);
  await page.goto(dashboard.printed);
  await expect(page.getByRole('link', { name: NAME })).toBeVisible();
  await expect(page.getByText('live', { exact: true })).toBeVisible();
  expect(page.url()).toBe(`${dashboard.address}/`);
  await page.goto(`/experiments/${NAME}`);
  await page.getByRole('button', { name: 'Write notes' }).click();
  await page.getByRole('textbox', { name: 'Notes in Markdown' }).fill('seen');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('seen')).toBeVisible();
});

test('without the token nothing is shown but a form that asks for it, which says when it is another', async ({
  page,
  dashboard,
  complaints,
}) => {
  sweep(dashboard.writer(), NAME);
  await page.goto(`${dashboard.address}/#token=a-token-of-yesterday`);
  await expect(page.getByRole('heading', { level: 1, name: 'This dashboard needs its token' })).toBeVisible();
  await expect(page.getByText('not allowed')).toBeVisible();
  await expect(page.getByText(NAME)).toHaveCount(0);
  expect(page.url()).toBe(`${dashboard.address}/`);
  expect(await violations(page)).toEqual([]);

  const field = page.getByLabel('Token');
  await field.fill('a-token-of-tomorrow');
  await field.press('Enter');
  await expect(page.getByRole('alert')).toHaveText('this is not the token that the dashboard was started with');
  await field.fill(` ${TOKEN} `);
  await page.getByRole('button', { name: 'Open' }).click();
  await expect(page.getByRole('link', { name: NAME })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('link', { name: NAME })).toBeVisible();
  forgetRefusals(complaints);
});
