/**
 * The page of the kernel on a real system: another kernel takes over by a press of its button while a counter is called
 * without a pause; one that is broken is refused, with the reason; the freeze, and what is not as on disk.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PHONE, startDashboard, visit, type Dashboard } from '../support/browser.ts'
import { packageRoot } from '../support/root.ts'

const COUNTER = `export class Module {
  count = 0
  next() { return ++this.count }
}
`
const SECOND = join(packageRoot, 'test/fixtures/kernel-v2/kernel-v2.ts')

let dashboard: Dashboard
beforeAll(async () => {
  dashboard = await startDashboard({
    'configs/counter.yml': 'prog: counter\n',
    'modules/counter.ts': COUNTER,
    'configs/kept.yml': 'prog: counter\n',
    'modules/kernel-v2.ts': `export { Kernel } from '${SECOND}'\n`,
    'modules/kernel-v3.ts': "throw new Error('the third is not done')\n",
  })
}, 120_000)
afterAll(() => dashboard.close())

const card = (page: Page, title: string | RegExp) =>
  page
    .locator('section.card')
    .filter({ has: page.getByRole('heading', { name: title, exact: typeof title === 'string' }) })

/** Presses the button, looks at what it shows first, and presses the one in the dialog. */
async function act(page: Page, label: string, shows: RegExp | string, command: string): Promise<void> {
  await page.getByRole('main').getByRole('button', { name: label, exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(shows).first().waitFor()
  await dialog.getByText(command, { exact: true }).waitFor()
  await dialog.getByRole('button', { name: label, exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
}

/** Calls the counter one after the other until it is stopped; each answer has to be one more than the one before. */
function counting(): { stop(): Promise<{ calls: number; wrong: string[] }> } {
  const state = { going: true }
  const wrong: string[] = []
  const done = (async () => {
    let last = await dashboard.system.call<number>('counter', 'next')
    let calls = 1
    while (state.going) {
      const next = await dashboard.system.call<number>('counter', 'next').catch((error: unknown) => String(error))
      if (next !== last + 1) wrong.push(`${next} after ${last}`)
      last = typeof next === 'number' ? next : last
      calls++
    }
    return { calls, wrong }
  })()
  return {
    stop() {
      state.going = false
      return done
    },
  }
}

it('frozen, a second kernel waits on disk; a press swaps to it while a counter counts, and no call fails', async () => {
  const page = await dashboard.open('#/kernel')
  await page.getByRole('main').getByRole('button', { name: 'Freeze', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('no change of its own is under way').waitFor()
  await dialog.getByLabel('Stop file edits too').check()
  await dialog.getByText(/Nothing changes/).waitFor()
  await dialog.getByLabel('Reason').fill('a kernel is coming')
  await dialog.getByText("mm freeze --all --reason 'a kernel is coming'", { exact: true }).waitFor()
  await dialog.getByRole('button', { name: 'Freeze', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  await card(page, 'Freeze').getByText('all', { exact: true }).waitFor()
  expect(dashboard.root.read('runtime/FREEZE')).toBe('all\na kernel is coming\n')

  dashboard.root.write('configs/meta-v2.0.0.yml', 'prog: kernel-v2\n')
  await card(page, 'Versions on disk').getByText('wanted', { exact: true }).waitFor()
  const counter = counting()
  await act(page, 'Swap to 2.0.0', 'configs/meta-v2.0.0.yml', 'mm kernel swap')
  await page.getByText(/kernel 1\.0\.0 → 2\.0\.0: paused [\d.]+ ms, 0 failed/).waitFor()
  await page.getByText(/\d+ calls were answered meanwhile/).waitFor()
  await page.getByText('Kernel 2.0.0 is on probation').waitFor()
  const { calls, wrong } = await counter.stop()
  expect(wrong).toEqual([])
  expect(calls).toBeGreaterThan(1)
  await card(page, 'Kernel 2.0.0').getByText('kernel-v2', { exact: true }).waitFor()
  await card(page, 'History')
    .getByText(/^paused [\d.]+ ms$/)
    .waitFor()

  dashboard.root.remove('configs/meta-v2.0.0.yml')
  await card(page, 'Versions on disk').getByText('wanted', { exact: true }).waitFor()
  await act(page, 'Swap to 1.0.0', '1.0.0 (configs/meta-v1.0.0.yml)', 'mm kernel swap')
  await card(page, 'Kernel 1.0.0').waitFor()
  expect(await dashboard.system.call('counter', 'next')).toBe(calls + 1)

  await act(page, 'Thaw', /What was saved meanwhile/, 'mm thaw')
  await card(page, 'Freeze').getByText('not frozen').waitFor()
  expect(existsSync(join(dashboard.root.path, 'runtime/FREEZE'))).toBe(false)
  await page.context().close()
})

it('a kernel that is broken is refused with the reason, tried again when it is asked for, and the one before goes on', async () => {
  const page = await dashboard.open('#/kernel')
  dashboard.root.write('configs/meta-v3.0.0.yml', 'prog: kernel-v3\n')
  const versions = card(page, 'Versions on disk')
  await versions.getByText('refused', { exact: true }).waitFor()
  await versions.getByText(/the third is not done/).waitFor()
  await card(page, 'History')
    .getByText(/the third is not done/)
    .first()
    .waitFor()
  await page.getByRole('button', { name: 'Swap to 3.0.0' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('was refused').waitFor()
  await dialog.getByRole('button', { name: 'Swap to 3.0.0' }).click()
  await dialog
    .getByRole('alert')
    .getByText(/the third is not done/)
    .waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  expect(await dashboard.system.call('counter', 'next')).toBeGreaterThan(0)
  dashboard.root.remove('configs/meta-v3.0.0.yml')
  await versions.getByText('refused', { exact: true }).waitFor({ state: 'detached' })
  await page.context().close()
})

it('a freeze of its own changes, widened on a phone; what runs that is not on disk, and what the doctor says of it', async () => {
  const page = await dashboard.open('#/kernel', PHONE)
  await act(page, 'Freeze', /may not change itself/, 'mm freeze')
  await card(page, 'Freeze').getByText('self', { exact: true }).waitFor()
  await act(page, 'Freeze everything', /Nothing changes/, 'mm freeze --all')
  await card(page, 'Freeze').getByText('all', { exact: true }).waitFor()
  await act(page, 'Thaw', /Nothing that runs would change/, 'mm thaw')
  await page.getByText('Everything that runs is what stands on disk').waitFor()
  dashboard.root.write('modules/counter.ts', COUNTER.replace('++this', '(this'))
  const other = card(page, 'Not as on disk')
  await other.getByRole('link', { name: 'counter' }).waitFor()
  await other
    .getByText(/modules\/counter\.ts:3/)
    .first()
    .waitFor()
  const doctor = card(page, 'Doctor')
  await doctor.getByText('mm doctor', { exact: true }).waitFor()
  await doctor.getByRole('button', { name: 'Look at everything' }).click()
  await doctor.getByText(/^\d+ wrong$/).waitFor()
  await doctor
    .getByText(/modules\/counter\.ts:3/)
    .first()
    .waitFor()
  await doctor.getByText(/\d+ checks are fine/).click()
  await doctor.getByText(/kernel 1\.0\.0 answers/).waitFor()
  dashboard.root.write('modules/counter.ts', COUNTER)
  await page.getByText('Everything that runs is what stands on disk').waitFor()
  await visit(page, '#/kernel')
  await page.context().close()
})
