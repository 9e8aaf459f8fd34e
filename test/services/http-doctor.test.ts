/** `GET /api/doctor`: the findings of `mm doctor` for whoever has only the page. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { KernelApi } from '../../modules/contracts/module.ts'
import { Doctor, type Findings } from '../../modules/services/http/doctor.ts'
import { serveHttp, type HttpSystem } from '../support/http.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

const running: HttpSystem[] = []
const roots: TestRoot[] = []
afterEach(async () => {
  for (const { system } of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

it('what the doctor finds is told with what to do, and without paths of this machine', async () => {
  const served = await serveHttp({
    'configs/well.yml': 'prog: well\n',
    'modules/well.ts': 'export class Module {}\n',
    'configs/broken.yml': 'prog: broken\n',
    'modules/broken.ts': 'export class Module {{\n',
  })
  running.push(served)
  const { status, body } = await served.ask('GET', '/api/doctor')
  expect(status).toBe(200)
  const { at, findings } = body as unknown as Findings
  expect(at).toBeGreaterThan(0)
  const wrong = findings.filter(({ ok }) => !ok)
  expect(wrong.find(({ check }) => check === 'configs')?.message).toContain('modules/broken.ts:')
  expect(wrong.filter(({ hint }) => hint === '')).toEqual([])
  expect(findings.filter(({ check }) => check === 'node')).toMatchObject([{ ok: true, hint: '' }])
  expect(findings.filter(({ message }) => message.includes(served.system.root.path))).toEqual([])
}, 30_000)

/** A doctor whose program counts its runs in a file, and does what is asked. */
function doctorOf(program: string): { doctor: Doctor; runs: () => number; ended: string[] } {
  const root = createRoot({
    'doctor.mjs': `import { appendFileSync } from 'node:fs'\nappendFileSync(new URL('runs', import.meta.url), '.')\n${program}\n`,
  })
  roots.push(root)
  const ended: string[] = []
  const kernel = {
    clock: { now: () => 7, monotonic: () => 7 },
    paths: { root: root.path },
    own: (_release: unknown, label: string) => () => ended.push(label),
  } as unknown as KernelApi
  const doctor = new Doctor(kernel, join(root.path, 'doctor.mjs'))
  return { doctor, runs: () => readFileSync(join(root.path, 'runs'), 'utf8').length, ended }
}

it('who asks while it looks gets the same answer, and who asks later another one', async () => {
  const { doctor, runs, ended } = doctorOf(
    `console.log(JSON.stringify([{ check: 'disk', ok: true, message: 'full', hint: '', repaired: false }])); process.exitCode = 1`,
  )
  const [first, second] = await Promise.all([doctor.look(), doctor.look()])
  expect(first).toBe(second)
  expect(first).toEqual({ at: 7, findings: [{ check: 'disk', ok: true, message: 'full', hint: '' }] })
  expect([runs(), ended]).toEqual([1, ['doctor']])
  await doctor.look()
  expect(runs()).toBe(2)
})

it('one that cannot look is told with the reason, and asked anew', async () => {
  const { doctor, runs } = doctorOf(`console.error('no eyes'); process.exit(3)`)
  await expect(doctor.look()).rejects.toMatchObject({
    code: 'doctor_failed',
    message: expect.stringContaining('no eyes') as unknown,
  })
  await expect(doctor.look()).rejects.toMatchObject({ code: 'doctor_failed' })
  expect(runs()).toBe(2)
  await expect(doctorOf(`console.log('not a report')`).doctor.look()).rejects.toMatchObject({ code: 'doctor_failed' })
})
