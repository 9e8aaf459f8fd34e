/** Development tools run beside a system that serves: they give way to it, with whatever they start. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { KernelApi } from '../../../modules/contracts/module.ts'
import { runTool } from '../../../modules/control/self-improver/tool-run.ts'

const SAYS = `const { getPriority } = require('node:os')
const { execFileSync } = require('node:child_process')
const below = execFileSync(process.execPath, ['-p', 'require("node:os").getPriority()'])
process.stdout.write(getPriority() + ' ' + below)`
const kernel = {
  sleep: (_ms: number, signal: AbortSignal) =>
    new Promise<void>((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('over')))),
} as unknown as KernelApi

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mm-tool-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('a tool and what it starts run at a lower priority, and this process as before', async () => {
  const program = join(folder, 'tool.cjs')
  writeFileSync(program, SAYS)
  const own = getPriority()
  const said = await runTool({ name: 'tool', version: '1', program, modules: folder }, [], {
    folder,
    ms: 20_000,
    kernel,
  })
  const lower = Math.max(5, own)
  expect(said.trim()).toBe(`${lower} ${lower}`)
  expect(getPriority()).toBe(own)
})
