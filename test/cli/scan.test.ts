/** `mm scan`: the report on trusted modules, without a running system and with one. */
import { afterEach, expect, it } from 'vitest'
import type { ScanReport } from '../../modules/contracts/sandbox.ts'
import { mm, startProcess } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

const roots: TestRoot[] = []
afterEach(() => {
  for (const root of roots.splice(0)) root.dispose()
})

function createShop(files: Record<string, string> = {}): TestRoot {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/till.yml': '',
    'modules/till.ts': "import { tax } from './tax.ts'\nexport class Module { sell = () => tax }\n",
    'modules/tax.ts': "export const tax = eval('1')\n",
    'modules/clean.ts':
      "export class Module { constructor(kernel) { this.db = kernel.getApi('database') } all() { return this.db.query('SELECT 1') } }\n",
    ...files,
  })
  roots.push(root)
  return root
}

const scan = async (
  root: TestRoot,
  ...args: string[]
): Promise<{ code: number | null; report: ScanReport & { files: number } }> => {
  const { code, stdout } = await mm(root.path, 'scan', ...args, '--json')
  return { code, report: JSON.parse(stdout) as ScanReport & { files: number } }
}

it('reports on all modules of a root: what is refused with its place, and the powers asked for', async () => {
  const { code, report } = await scan(createShop())
  expect(code).toBe(1)
  expect(report.files).toBe(3)
  expect(report.findings).toMatchObject([
    { rule: 'dynamic_code', severity: 'refuse', file: 'modules/tax.ts', line: 1, column: 20 },
  ])
  expect(report.powers).toEqual([{ service: 'database', aspect: 'default', method: 'query', argument: 'SELECT 1' }])
})

it('says it in words, with what to use instead', async () => {
  const { stdout } = await mm(createShop().path, 'scan', 'modules/tax.ts')
  expect(stdout).toContain('refused  modules/tax.ts:1:20  `eval` makes code out of text (dynamic_code)')
  expect(stdout).toContain('Write the function')
  expect(stdout).toContain('1 files, 1 refused in a sandbox, 1 findings')
})

it('a clean file and a list that allows it exit with 0', async () => {
  expect(await scan(createShop(), 'modules/clean.ts')).toMatchObject({ code: 0, report: { findings: [] } })
  const allowed = createShop({ 'configs/meta-v1.0.0.yml': 'prog: kernel\nforbidden_imports: [vm]\n' })
  expect(await scan(allowed)).toMatchObject({ code: 0, report: { findings: [{ severity: 'warn' }] } })
})

it('of a service it reads the files it is made from', async () => {
  const root = createShop()
  const system = await startProcess(root)
  try {
    expect((await scan(root, 'till')).report).toMatchObject({ files: 2, findings: [{ file: 'modules/tax.ts' }] })
  } finally {
    await system.stop()
  }
})

it('what is not there is told', async () => {
  const { code, stderr } = await mm(createShop().path, 'scan', 'modules/none.ts', '--json')
  expect(code).toBe(1)
  expect(stderr).toContain('file_missing')
  expect((await mm(createShop().path, 'scan', 'till')).code).toBe(3)
})
