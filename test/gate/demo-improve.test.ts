/** `mm demo improve` in another order: its verdicts are found, not told, so they move with the answers. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packageRoot } from '../support/root.ts'

interface Report {
  verdicts: { answer: string; outcome: string; refused_by: string | null; message: string }[]
  proposal: { state: string } | null
  undone_byte_for_byte: boolean | null
  failed_calls: number
  ledger: { valid: boolean; entries: number }
}

it('other answers get other verdicts; what is taken back is taken back byte for byte, and the ledger is valid', () => {
  const args = [join(packageRoot, 'bin/mm.js'), '--json', 'demo', 'improve', '--answers', 'faster,gate,wrong']
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  const report = JSON.parse(stdout) as Report
  expect(report.verdicts.map(({ answer, outcome, refused_by }) => [answer, outcome, refused_by])).toEqual([
    ['faster', 'submitted', null],
    ['gate', 'refused', 'policy'],
    ['wrong', 'refused', 'replay'],
  ])
  expect(report.verdicts[1]?.message).toContain('NEVER by the rule `gate`')
  expect(report.verdicts[2]?.message).toMatch(/^counterexample: count\(\d+\): `primes` was \d+ and is \d+$/)
  expect(report).toMatchObject({ undone_byte_for_byte: true, failed_calls: 0, ledger: { valid: true } })
  expect([report.proposal?.state, status]).toEqual(['confirmed', 0])
}, 180_000)
