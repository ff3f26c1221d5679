import { expectSound } from './accessibility.js';
import { expect, test } from './dashboard.js';
import { begin, experimentInput, finish, numPoints, sweep } from './sweep.js';

const NAME = 'senet-on-field-noise';

test('the page of a sweep says what is planned, what runs and how long still, and why runs have failed, as it goes', async ({
  page,
  dashboard,
}) => {
  const writer = dashboard.writer();
  const runs = writer.plan(experimentInput(NAME));
  const [first, second, third] = runs;
  await page.goto(`/experiments/${NAME}`);
  const part = page.getByRole('region', { name: 'Sweep' });
  await expect(part.getByText('0 of 9 runs and 0 of 3 trials have ended')).toBeVisible();
  await expect(part.getByText(`npx nx run runner:sweep --store ${dashboard.storePath} --config configs/${NAME}.yaml`)).toBeVisible(); // prettier-ignore

  finish(writer, first!, begin(writer, first!));
  const attempt = begin(writer, second!, numPoints / 2);
  await expect(part.getByText('1 of 9 runs and 0 of 3 trials have ended')).toBeVisible();
  await expect(part.getByRole('progressbar', { name: 'Sweep' })).toHaveJSProperty('position', 1 / 9);
  await expect(part.getByText(/^about .+ left, 1 at once$/)).toBeVisible();
  await expect(part.getByText('Nothing works on it now')).toBeHidden();
  const running = part.getByRole('group', { name: 'Running' }).getByRole('row').nth(1);
  await expect(running).toContainText(new RegExp(`^run ${second!.id}about .* s6,000 of 12,000base2`));

  finish(writer, second!, attempt);
  const failing = begin(writer, third!, 3);
  writer.log(failing, 'the gradient of fields.3 is NaN\n');
  writer.fail(failing, { error: 'loss is NaN at step 1201\n  hint     lower it', status: 'failed', retry: false });
  await expect(part.getByText('3 of 9 runs and 1 of 3 trials have ended')).toBeVisible();
  await expect(part.getByText('lower it')).toBeVisible();
  await expect(part.getByRole('region', { name: `End of the log of run ${third!.id}` })).toContainText('the gradient of fields.3 is NaN'); // prettier-ignore
  await expectSound(page);

  await part.getByRole('button', { name: 'Retry' }).click();
  await expect(part.getByText('2 of 9 runs')).toBeVisible();
  await expect(part.getByText('loss is NaN')).toBeHidden();
});

test('a sweep that is done says so in one line', async ({ page, dashboard }) => {
  sweep(dashboard.writer(), NAME);
  await page.goto(`/experiments/${NAME}`);
  const part = page.getByRole('region', { name: 'Sweep' });
  await expect(part).toHaveText(/^Sweep9 of 9 runs and 3 of 3 trials have ended$/);
  await expect(part.getByRole('button')).toHaveCount(0);
});
