/** `mm demo tour` by itself, as for who only wants to see it: every step is found in the running system. The web test leads it by hand. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TOUR } from '../../cli/tour/steps.ts'
import { packageRoot } from '../support/root.ts'

interface Report {
  url: string
  steps: { step: string; outcome: string; found: string; ms: number }[]
}

it('steps come true one after another, those that are left out are said to be, and nothing stays behind', () => {
  const left = ['refused', 'failed', 'passed', 'approved']
  const args = [join(packageRoot, 'bin/mm.js'), '--json', 'demo', 'tour', '--skip', left.join(',')]
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('mm-tour-'))
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  const { steps } = JSON.parse(stdout) as Report
  expect(steps.map(({ step, outcome, found }) => [step, outcome, outcome === 'failed' ? found : ''])).toEqual(
    TOUR.map(({ id }) => [id, left.includes(id) ? 'skipped' : 'done', '']),
  )
  const found = Object.fromEntries(steps.map((one) => [one.step, one.found]))
  expect(found['edit']).toMatch(/g2 serves with interval_ms 100; the count went on from \d+ to \d+/)
  expect(found['break']).toMatch(/modules\/tour\/ticker\.ts:\d+: .*; g2 serves on/)
  expect(found['kernel']).toMatch(/kernel 1\.0\.0 → 2\.0\.0, paused [\d.]+ ms; the ticker is still g\d+/)
  expect(found['clean-up']).toMatch(/kernel 1\.0\.0$/)
  expect(status).toBe(0)
  const after = readdirSync(tmpdir()).filter((name) => name.startsWith('mm-tour-') && !before.includes(name))
  expect(after.filter((name) => existsSync(join(tmpdir(), name)))).toEqual([])
}, 300_000)

it('a step that is none is named', () => {
  const args = [join(packageRoot, 'bin/mm.js'), 'demo', 'tour', '--skip', 'dance']
  const { stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect([status, stderr]).toEqual([2, expect.stringContaining('there is no step dance')])
})
