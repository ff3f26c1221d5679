import { violations } from './accessibility.js';
import { expect, test } from './dashboard.js';
import { RANKED_NAME, rankedSweep } from './ranked-sweep.js';

test('leads from slices to a user by keyboard, and shows what two runs recommend and which hits differ', async ({
  page,
  dashboard,
}) => {
  rankedSweep({ writer: dashboard.writer(), storePath: dashboard.storePath });
  await page.goto(`/experiments/${RANKED_NAME}/slices`);
  await page.getByRole('link', { name: 'gate and base, user by user' }).first().press('Enter');
  await expect(page.getByRole('heading', { name: /^Users of run \d+ and run \d+$/ })).toBeVisible();
  await expect(page.getByText(/^Of 400 test users A has the greater test\/hr@10 for 0, B for \d+/)).toBeVisible();

  const ahead = page.getByRole('group', { name: /^Where B is ahead: gate, seed 1/ });
  const first = ahead.getByRole('link').first();
  const user = (await first.innerText()).replace('user ', '');
  await first.press('Enter');
  await expect(page.getByRole('heading', { name: `User ${user}`, exact: true })).toBeInViewport();
  await expect(page).toHaveURL((url) => url.searchParams.get('user') === user);
  await expect(page.locator(':focus')).toContainText('To find');

  const target = page.getByRole('group', { name: 'To find' }).getByRole('row').nth(1);
  const [rankA, rankB] = await target.getByRole('cell').allTextContents();
  expect(Number(rankA)).toBeGreaterThan(10);
  expect(Number(rankB)).toBeLessThanOrEqual(10);
  await expect(target.getByRole('rowheader')).toContainText(/^Movie \d+ item m-\d+ · category \d · \d+ in training/);
  const hit = page
    .getByRole('group', { name: /^Recommended by B/ })
    .getByRole('listitem')
    .filter({ hasText: '✓ hit' });
  await expect(hit).toHaveCount(1);
  expect(await hit.evaluate((item) => [...item.parentElement!.children].indexOf(item) + 1)).toBe(Number(rankB));

  const other = page.getByRole('combobox', { name: 'B', exact: true });
  await other.selectOption(await other.getByRole('option', { name: 'wide, seed 1' }).textContent());
  await expect(page.getByRole('group', { name: /^Recommended by B: wide, seed 1/ })).toBeVisible();
  await page.getByRole('searchbox', { name: 'User' }).fill('anna/9');
  await page.getByRole('searchbox', { name: 'User' }).press('Enter');
  await expect(page.getByRole('heading', { name: 'User anna/9', exact: true })).toBeVisible();
});

test('says which user or run is not there', async ({ page, dashboard, complaints }) => {
  const [a, b] = rankedSweep({ writer: dashboard.writer(), storePath: dashboard.storePath });
  await page.goto(`/runs/${a!.id}/users/${b!.id}?user=anna/1`);
  await expect(page.getByRole('alert')).toHaveText(/^the test part has no user anna\/1; the nearest are anna\/0, /);
  await page.goto(`/runs/${a!.id}/users/999`);
  await expect(page.getByRole('alert')).toHaveText('the store has no run 999');
  expect(complaints.splice(0).every((text) => text.includes('404'))).toBe(true);
});

test('the page of a run and that of what differs lead to the users', async ({ page, dashboard }) => {
  const [a, b] = rankedSweep({ writer: dashboard.writer(), storePath: dashboard.storePath });
  await page.goto(`/runs/${a!.id}`);
  await page.getByRole('spinbutton', { name: 'Compare with run' }).fill(String(b!.id));
  await page.getByRole('button', { name: 'Compare users' }).click();
  await expect(page).toHaveURL(new RegExp(`/runs/${a!.id}/users/${b!.id}$`));
  await page.getByRole('link', { name: 'What differs' }).click();
  await page.getByRole('link', { name: 'User by user' }).click();
  await expect(page.getByRole('heading', { name: 'Where they differ most' })).toBeVisible();
});

test('axe finds nothing wrong with a user, and the page does not scroll sideways', async ({ page, dashboard }) => {
  const [a, b] = rankedSweep({ writer: dashboard.writer(), storePath: dashboard.storePath });
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(`/runs/${a!.id}/users/${b!.id}?user=anna/9`);
    await expect(page.getByRole('group', { name: /^Recommended by B/ })).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: null });
  }
});
