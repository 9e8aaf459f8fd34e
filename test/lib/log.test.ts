/** The log file: bounded, and never in the way of the system when nothing can be written. */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { RotatingFile } from '../../modules/lib/log.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mm-log-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const line = (msg: string, time = 7): string => `${JSON.stringify({ level: 30, time, msg })}\n`
const entries = (path: string): unknown[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((text): unknown[] => {
      try {
        return [JSON.parse(text) as unknown]
      } catch {
        return []
      }
    })

it('a full file is moved aside, and as many are kept as were asked for', () => {
  const path = join(folder, 'mm.log')
  const file = new RotatingFile(path, 100, 2)
  for (let n = 1; n <= 12; n++) file.write(line(`line ${n}`))
  expect(entries(path).at(-1)).toMatchObject({ msg: 'line 12' })
  expect([1, 2, 3].map((n) => existsSync(`${path}.${n}`))).toEqual([true, true, false])
})

it.runIf(existsSync('/dev/full'))('a full disk costs lines, and how many is told when it takes them again', () => {
  const path = join(folder, 'mm.log')
  symlinkSync('/dev/full', path)
  const file = new RotatingFile(path)
  for (let n = 1; n <= 1_000; n++) file.write(line(`lost ${n}`))
  rmSync(path)
  // What a disk takes before it is full: half a line.
  writeFileSync(path, '{"level":30,"time":5,"ms')
  file.write(line('back', 9))
  file.write(line('on'))
  expect(entries(path)).toEqual([
    { level: 40, time: 9, msg: '1000 lines are missing here: they could not be written' },
    { level: 30, time: 9, msg: 'back' },
    { level: 30, time: 7, msg: 'on' },
  ])
})

it('a folder that was not there, or is taken away, is made', () => {
  const path = join(folder, 'logs', 'mm.log')
  writeFileSync(join(folder, 'logs'), 'no folder')
  const file = new RotatingFile(path)
  file.write(line('lost'))
  rmSync(join(folder, 'logs'))
  file.write(line('one'))
  expect(entries(path)).toMatchObject([{ level: 40 }, { msg: 'one' }])
  rmSync(join(folder, 'logs'), { recursive: true })
  file.write(line('two'))
  expect(entries(path)).toMatchObject([{ msg: 'two' }])
})
