/** What a browser has to load of the dashboard, compressed, and what it may not find in it. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { buildWeb } from '../../../scripts/web.mjs'
import { packageRoot } from '../../support/root.ts'

const SCRIPT_BYTES_MAX = 120 * 1_024
const ASSETS = join(packageRoot, 'web', 'dist', 'assets')

beforeAll(() => buildWeb())

it('all scripts of all pages are at most 120 KB, compressed', () => {
  const scripts = readdirSync(ASSETS).filter((name) => name.endsWith('.js.gz'))
  const bytes = scripts.reduce((sum, name) => sum + statSync(join(ASSETS, name)).size, 0)
  expect(scripts.length).toBeGreaterThan(1)
  expect(bytes).toBeLessThanOrEqual(SCRIPT_BYTES_MAX)
})

it('nothing in it is fetched from elsewhere, no module of the system is in it, and no path of this machine', () => {
  const names = readdirSync(ASSETS).filter((name) => name.endsWith('.js') || name.endsWith('.css'))
  const all = names.map((name) => readFileSync(join(ASSETS, name), 'utf8')).join('\n')
  const addresses = all.match(/https?:\/\/[^\s"'`)]+/g) ?? []
  // Names of XML and of loopback: nothing is loaded from them.
  expect(addresses.filter((one) => !/^https?:\/\/(www\.w3\.org|127\.0\.0\.1)/.test(one))).toEqual([])
  expect(all.match(/(?:from|import)\s*["`]node:\w+/g)).toBeNull()
  expect([all.includes(packageRoot), all.includes('jsxDEV')]).toEqual([false, false])
})
