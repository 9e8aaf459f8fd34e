import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => {
  delete process.env['MM_TEST_VALUE']
  await system?.stop()
})

const MODULE = `import { z } from 'zod'
export const configSchema = z.object({ key: z.string(), size: z.number().max(9).default(3) })
export class Module { constructor(_k: unknown, private config: unknown) {} read() { return this.config } }`

const read = (): Promise<unknown> => (system as TestSystem).getApi('m')['read']?.() as Promise<unknown>

it('fills ${ENV}, its default, and secret:NAME, and never shows them', async () => {
  process.env['MM_TEST_VALUE'] = 'from-env'
  system = await startSystem({
    'configs/m.yml': 'key: "${MM_TEST_VALUE}/${MM_TEST_NONE:-fallback}"',
    'modules/m.ts': MODULE,
    'runtime/secrets/api': 'hidden-value\n',
  })
  chmodSync(join(system.root.path, 'runtime/secrets/api'), 0o600)
  expect(await read()).toEqual({ key: 'from-env/fallback', size: 3 })
  system.root.write('configs/m.yml', 'key: "secret:api"')
  await system.live('m', 2)
  expect(await read()).toEqual({ key: 'hidden-value', size: 3 })
  expect(JSON.stringify(await system.show('m'))).not.toContain('hidden-value')
  expect(system.log.some((line) => line.message.includes('hidden-value'))).toBe(false)
})

it.each([
  ['size: 3\nkey: "${MM_TEST_NONE}"', 'env_missing', 2],
  ['size: 3\n\nkey: secret:none', 'secret_missing', 3],
  ['key: secret:open', 'secret_open', 1],
  ['key: a\nsize: 10', 'config_invalid', 2],
  ['params:\n  size: 1\n  key: 5', 'config_invalid', 3],
])('a value that cannot be filled or does not fit is named with its line: %j', async (text, code, line) => {
  system = await startSystem({ 'configs/m.yml': text, 'modules/m.ts': MODULE, 'runtime/secrets/open': 'x' })
  chmodSync(join(system.root.path, 'runtime/secrets/open'), 0o644)
  const { state, last_error } = await system.show('m')
  expect(state).toBe('failed')
  expect(last_error).toMatchObject({ code, file: 'configs/m.yml', line })
  system.root.write('configs/m.yml', 'key: fine')
  await system.live('m')
})
