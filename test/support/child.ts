/** A script of this checkout in a process of its own, with garbage collection in reach: its last line is its result. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { cleanEnv, typescriptArgs } from './process.ts'
import { packageRoot } from './root.ts'

export function resultOf<T>(script: string, ...args: (string | number)[]): Promise<T> {
  const command = ['--expose-gc', ...typescriptArgs(), join(packageRoot, script), ...args.map(String)]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, {
      env: cleanEnv(),
      cwd: packageRoot,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(text.trim().split('\n').at(-1) ?? '') as T)
      else reject(new Error(`it ended with ${code}: ${text}`))
    })
  })
}
