/** Several processes that find the same stale lock at the same moment: exactly one of them gets the root. */
import { spawn, spawnSync } from 'node:child_process'
import fs, { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { takeLock } from '../../modules/lib/lock.ts'
import { cleanEnv, typescriptArgs } from '../support/process.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mm-race-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const PROCESSES = 4
const ROUNDS = 300
/** A taker of the root of each round, all at the same instant; the lock is held until the process ends. */
const SCRIPT = `
import { takeLock } from '${new URL('../../modules/lib/lock.ts', import.meta.url).href}'
const won = []
process.stdout.write('ready')
const begin = await new Promise((resolve) => process.stdin.once('data', (text) => resolve(Number(text))))
for (let round = 0; round < ${ROUNDS}; round++) {
  while (Date.now() < begin + round * 4);
  try {
    takeLock('it', process.argv.at(-1) + '/' + round + '/lock')
    won.push(round)
  } catch (error) {
    if (error.code !== 'root_in_use') throw error
  }
}
process.stdout.write(JSON.stringify(won))
process.stdin.once('data', () => process.exit(0))
`

function startTaker() {
  const args = [...typescriptArgs(), '--input-type=module', '-e', SCRIPT, '--', folder]
  const child = spawn(process.execPath, args, { env: cleanEnv(), stdio: ['pipe', 'pipe', 'inherit'] })
  let text = ''
  const looks = new Set<() => void>()
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    for (const look of looks) look()
  })
  const said = (wanted: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = wanted.exec(text)
        if (found !== null) resolve(found[0])
      }
      looks.add(look)
      child.on('exit', () => reject(new Error(`it ended: ${text}`)))
      look()
    })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  return { said, ended, say: (line: string) => child.stdin.write(line) }
}

it('a stale lock is taken over by one of those who try at once, and nothing is left beside it', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  for (let round = 0; round < ROUNDS; round++) {
    mkdirSync(join(folder, String(round)))
    writeFileSync(join(folder, String(round), 'lock'), JSON.stringify({ pid: dead, started: '1' }))
    // One that died while it took over: its claim is as stale as the lock.
    if (round % 3 === 0) writeFileSync(join(folder, String(round), 'lock.over'), '{"pid": 1, "started": "x"}')
  }
  const takers = Array.from({ length: PROCESSES }, startTaker)
  await Promise.all(takers.map((taker) => taker.said(/ready/)))
  for (const taker of takers) taker.say(String(Date.now() + 100))
  const wins = await Promise.all(takers.map(async (taker) => JSON.parse(await taker.said(/\[.*\]/)) as number[]))
  const winners = Array.from({ length: ROUNDS }, (_, round) => wins.filter((won) => won.includes(round)).length)
  const beside = winners.flatMap((_, round) => readdirSync(join(folder, String(round))))
  const owners = winners.map((_, round) => readFileSync(join(folder, String(round), 'lock'), 'utf8'))
  for (const taker of takers) taker.say('end')
  await Promise.all(takers.map((taker) => taker.ended))
  expect(winners.filter((count) => count !== 1)).toEqual([])
  expect(new Set(beside)).toEqual(new Set(['lock']))
  expect(owners.filter((text) => !text.includes('started'))).toEqual([])
})

it('a lock put there right after the stale one was found gone is not removed', () => {
  const path = join(folder, 'lock')
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  writeFileSync(path, JSON.stringify({ pid: dead, started: '1' }))
  const stat = readFileSync(`/proc/${process.ppid}/stat`, 'utf8')
  const other = { pid: process.ppid, started: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] }
  const { readFileSync: real } = fs
  let looks = 0
  // The second look is the one under `lock.over`: a faster taker has removed the stale lock, and links its own just after.
  fs.readFileSync = ((name: string, ...rest: []) => {
    if (name !== path || ++looks !== 2) return real(name, ...rest)
    rmSync(path)
    try {
      return real(name, ...rest)
    } finally {
      writeFileSync(path, JSON.stringify(other))
    }
  }) as typeof real
  syncBuiltinESMExports()
  try {
    expect(() => takeLock('it', path)).toThrowError(expect.objectContaining({ code: 'root_in_use' }))
  } finally {
    fs.readFileSync = real
    syncBuiltinESMExports()
  }
  expect(looks).toBeGreaterThan(1)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(other)
  expect(readdirSync(folder)).toEqual(['lock'])
})
