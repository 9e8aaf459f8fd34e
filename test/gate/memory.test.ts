/** What 10,000 reloads leave behind, each size in a process of its own, through the running kernel. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { cleanEnv, typescriptArgs } from '../support/process.ts'
import { packageRoot } from '../support/root.ts'

const HEAP_KB_MAX = 0.5
const RSS_GROWTH_MAX = 1.1

interface Result {
  heap_kb: number
  rss_quarter_mb: number
  rss_end_mb: number
}

function measure(bytes: number, reloads: number): Promise<Result> {
  const args = [
    '--expose-gc',
    ...typescriptArgs(),
    join(packageRoot, 'bench/heap.ts'),
    'child',
    String(bytes),
    String(reloads),
    'kernel',
  ]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      env: cleanEnv(),
      cwd: packageRoot,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(text.trim().split('\n').at(-1) ?? '') as Result)
      else reject(new Error(`it ended with ${code}: ${text}`))
    })
  })
}

it.each([10_240, 102_400])(
  'a module of %i bytes leaves at most half a kilobyte a reload',
  { timeout: 600_000 },
  async (bytes) => {
    const result = await measure(bytes, 10_000)
    expect(result.heap_kb).toBeLessThanOrEqual(HEAP_KB_MAX)
    expect(result.rss_end_mb / result.rss_quarter_mb).toBeLessThanOrEqual(RSS_GROWTH_MAX)
  },
)
