/** `mm plan`, `rollback`, `undo` and `config dump`, against a running system; `validate` and `doctor`, without one too. */
import { chmodSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import type { EffectiveConfig, PlannedChange, ReloadResult } from '../../modules/contracts/kernel.ts'
import { mmHere } from '../support/cli.ts'
import { startProcess, type CommandResult, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const till = (price: number): string => `
import { z } from 'zod'
import { tax } from './tax.ts'
export const configSchema = z.object({ open: z.boolean().default(true), key: z.string().default('none') })
export class Module {
  #sold = 0
  sell() { this.#sold++; return ${price} + tax }
  sold() { return this.#sold }
  handOver() { return this.#sold }
  takeOver(sold: unknown) { this.#sold = sold as number }
}
`

function createShop(): TestRoot {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/tools.yml': 'prog: services/tools\n',
    'configs/till.yml': 'key: ${SHOP_KEY:-from the shop}\n',
    'modules/till.ts': till(1),
    'modules/tax.ts': 'export const tax = 0\n',
  })
  roots.push(root)
  return root
}

async function start(root: TestRoot): Promise<RunningSystem> {
  const system = await startProcess(root)
  running.push(system)
  return system
}

async function ok(root: TestRoot, ...args: string[]): Promise<CommandResult> {
  const result = await mmHere(root.path, ...args)
  expect([args, result.code, result.stderr]).toEqual([args, 0, ''])
  return result
}

const json = async <T>(root: TestRoot, ...args: string[]): Promise<T> =>
  JSON.parse((await ok(root, ...args, '--json')).stdout) as T

it('plan says what a file would touch, and changes nothing', async () => {
  const root = createShop()
  const system = await start(root)
  expect((await ok(root, 'plan')).stdout).toBe('what runs is what stands on disk\n')
  expect((await ok(root, 'plan', 'modules/tax.ts')).stdout).toMatch(
    /^till {2}reload {2}g1 serves {2}files modules\/tax\.ts; quiesce; state carried/,
  )
  root.write('next.yml', 'open: maybe\n')
  const [change] = await json<PlannedChange[]>(root, 'plan', 'configs/till.yml', '--with', `${root.path}/next.yml`)
  expect(change).toMatchObject({ api: 'till', error: { code: 'config_invalid', file: 'configs/till.yml' } })
  expect((await ok(root, 'plan', 'modules/nobody.ts')).stdout).toBe('no service is touched\n')
  expect((await mmHere(root.path, 'plan', 'a.ts', 'b.ts', '--with', 'c.ts')).code).toBe(2)
  expect((await mmHere(root.path, 'plan', '../elsewhere.ts')).stderr).toContain('leaves the root')
  expect(await system.call('till', 'sell')).toBe(1)
})

it('rollback brings the version before back and leaves the disk alone; undo writes its bytes too', async () => {
  const root = createShop()
  const system = await start(root)
  await system.call('till', 'sell')
  const live = system.line(/till {2}g1 → g2/)
  root.write('modules/till.ts', till(2))
  await live
  expect((await ok(root, 'rollback', 'till')).stdout).toMatch(
    /^till {2}g2 → g3 {2}[\d.]+ ms {2}0 calls failed {2}state carried\n$/,
  )
  expect(await system.call('till', 'sell')).toBe(1)
  expect(root.read('modules/till.ts')).toBe(till(2))
  expect((await ok(root, 'plan')).stdout).toContain('was taken back')

  expect(await json<ReloadResult>(root, 'undo', 'till')).toMatchObject({ ok: true, state: 'carried' })
  expect(root.read('modules/till.ts')).toBe(till(1))
  expect(await system.call('till', 'sold')).toBe(2)
  const again = await mmHere(root.path, 'undo', 'till', '--json')
  expect([again.code, JSON.parse(again.stderr)]).toMatchObject([1, { error: { code: 'nothing_to_undo' } }])
  expect((await mmHere(root.path, 'rollback', 'nobody')).stderr).toContain('There is no service `nobody`')
})

it('config dump shows effective values with their origin, and no value that was filled in', async () => {
  const root = createShop()
  await start(root)
  const { stdout } = await ok(root, 'config', 'dump', 'till')
  expect(stdout).toMatch(/^till {2}configs\/till\.yml {2}prog till\n/)
  expect(stdout).toMatch(/key: +"\$\{SHOP_KEY:-from the shop\}" +configs\/till\.yml:1/)
  expect(stdout).toMatch(/open: +true +default of till/)
  const all = await json<EffectiveConfig[]>(root, 'config', 'dump')
  expect(all.map((one) => one.api)).toEqual(['http', 'till', 'tools'])
})

it('validate finds what is wrong without starting anything', async () => {
  const root = createShop()
  expect((await ok(root, 'validate')).stdout).toBe('3 services, 0 errors\n')
  root.write('configs/till.yml', 'open: maybe\n')
  root.write('configs/torn.yml', 'a: [\n')
  root.write('modules/tax.ts', 'export const tax = \n')
  root.write('configs/lost.yml', 'prog: nowhere\n')
  const { code, stdout } = await mmHere(root.path, 'validate', '--json')
  const report = JSON.parse(stdout) as { errors: { code: string; file: string }[] }
  expect(code).toBe(1)
  expect(report.errors.map((error) => [error.code, error.file]).sort()).toEqual([
    ['config_syntax', 'configs/torn.yml'],
    ['prog_not_found', 'configs/lost.yml'],
    ['source_syntax', 'modules/tax.ts'],
  ])
  root.write('modules/tax.ts', 'export const tax = 0\n')
  expect((await mmHere(root.path, 'validate')).stdout).toContain('The value at `open` does not fit the schema of till')
  expect((await mmHere('/nowhere-at-all', 'validate')).stderr).toContain('has no configs/')
})

it('doctor explains what is wrong with a root and with the system that runs on it', async () => {
  const root = createShop()
  expect((await ok(root, 'doctor')).stdout).toMatch(/ok +system: none runs for this root/)
  const system = await start(root)
  const refused = system.line(/till {2}refused/)
  root.write('modules/till.ts', 'export class Module {')
  await refused
  chmodSync(`${root.path}/runtime/token`, 0o644)
  root.write('runtime/FREEZE', 'self\n')
  const { code, stdout } = await mmHere(root.path, 'doctor')
  expect(code).toBe(1)
  expect(stdout).toMatch(/wrong +token: runtime\/token can be read by others \(mode 644\)\n +Run: chmod 600/)
  expect(stdout).toMatch(/wrong +freeze: the system is frozen/)
  expect(stdout).toMatch(/wrong +configs: The source does not parse/)
  expect(stdout).toMatch(/wrong +till: what runs is not what stands on disk, g1 serves/)
})
