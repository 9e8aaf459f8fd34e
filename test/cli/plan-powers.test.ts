/** `mm plan` of modules in sandboxes: what a change adds to their powers and takes away, before it goes live. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { PlannedChange } from '../../modules/contracts/kernel.ts'
import { mmHere } from '../support/cli.ts'
import { startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

let root: TestRoot
let system: RunningSystem | undefined

const report = (...calls: string[]): string => `export class Module {
  constructor(private readonly kernel: any) {}
  async all() { return [${calls.map((one) => `this.kernel.getApi(${one}`).join(', ')}] }
}
`
const READ = "'filesystem').read_file('data/a.txt')"
const GET = "'fetch').get('https://api.example.com/x')"
const config = (...grants: string[]): string =>
  `prog: report\nsandbox: {isolation: inline}\n${grants.length === 0 ? '' : `grants: [${grants.join(', ')}]\n`}`

beforeEach(async () => {
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/filesystem.yml': 'prog: services/filesystem\n',
    'configs/report.yml': config("'filesystem.read_file:data/**'"),
    'configs/plain.yml': '',
    'modules/report.ts': report(READ),
    'modules/plain.ts': 'export class Module {}\n',
  })
  system = await startProcess(root)
})
afterEach(async () => {
  await system?.stop()
  root.dispose()
})

async function plan(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await mmHere(root.path, 'plan', ...args)
  expect([args, code, stderr]).toEqual([args, 0, ''])
  return stdout
}
const powers = async (...args: string[]): Promise<PlannedChange['powers']> =>
  (JSON.parse(await plan(...args, '--json')) as PlannedChange[])[0]?.powers ?? null

it('of a text that asks for more, and for less', async () => {
  const granted = ['filesystem.read_file:data/**']
  root.write('next.ts', report(READ, GET))
  expect(await powers('modules/report.ts', '--with', `${root.path}/next.ts`)).toEqual({
    granted: { before: granted, after: granted },
    used: {
      before: ['filesystem.read_file:data/a.txt'],
      after: ['filesystem.read_file:data/a.txt', 'fetch.get:api.example.com'],
    },
    missing: ['fetch.get:api.example.com'],
  })
  expect(await plan('modules/report.ts', '--with', `${root.path}/next.ts`)).toMatch(
    /^report {2}reload .*\n {2}used {5}\+ fetch\.get:api\.example\.com\n {2}missing {2}fetch\.get:api\.example\.com: refused until/,
  )
  root.write('next.ts', report())
  expect(await plan('modules/report.ts', '--with', `${root.path}/next.ts`)).toContain(
    '\n  used     - filesystem.read_file:data/a.txt\n',
  )
  expect(await plan('modules/report.ts')).toContain('\n  powers as before\n')
})

it('of a config that grants other things, ends the sandbox, or begins one', async () => {
  root.write('next.yml', config('fetch.get'))
  expect(await powers('configs/report.yml', '--with', `${root.path}/next.yml`)).toMatchObject({
    granted: { before: ['filesystem.read_file:data/**'], after: ['fetch.get'] },
    missing: ['filesystem.read_file:data/a.txt'],
  })
  root.write('next.yml', 'prog: report\n')
  expect(await powers('configs/report.yml', '--with', `${root.path}/next.yml`)).toMatchObject({
    granted: { after: null },
    missing: [],
  })
  root.write('next.yml', 'sandbox: true\n')
  expect(await plan('configs/plain.yml', '--with', `${root.path}/next.yml`)).toContain(
    '\n  granted  - every power, outside of a sandbox\n',
  )
  expect(await powers('modules/plain.ts')).toBe(null)
  root.write('next.yml', config())
  expect(await powers('configs/another.yml', '--with', `${root.path}/next.yml`)).toMatchObject({
    granted: { before: [], after: [] },
    used: { before: [] },
    missing: ['filesystem.read_file:data/a.txt'],
  })
})

it('of a service: what stands on disk and was refused', async () => {
  expect(await plan('report')).toBe('no service is touched\n')
  const refused = system?.line(/asks for fetch/)
  root.write('modules/report.ts', report(READ, GET))
  await refused
  expect(await plan('report')).toMatch(/missing {2}fetch\.get:api\.example\.com/)
  expect(await plan('plain')).toBe('no service is touched\n')
})
