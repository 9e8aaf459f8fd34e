/** `mm demo sandbox`: it is what it says, computed and not told, and it leaves nothing behind. */
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { mm } from '../support/process.ts'
import { packageRoot } from '../support/root.ts'

interface Report {
  attacks: { attack: string; contained: boolean; answers: boolean; came_to: string; reason: string }[]
  counter: { beats: number; missed: number }
}

const roots = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('mm-demo-'))

it('six attacks are contained, and the counter misses no beat', async () => {
  const before = new Set(roots())
  const { code, stdout } = await mm(packageRoot, 'demo', 'sandbox', '--json')
  const { attacks, counter } = JSON.parse(stdout) as Report
  expect(attacks.filter((one) => !one.contained || !one.answers)).toEqual([])
  expect(attacks.map((one) => one.attack)).toEqual(['loop', 'native', 'memory', 'flood', 'escape', 'power'])
  expect(counter.missed).toBe(0)
  expect(counter.beats).toBeGreaterThan(10)
  expect(code).toBe(0)
  expect(roots().filter((name) => !before.has(name))).toEqual([])
}, 120_000)
