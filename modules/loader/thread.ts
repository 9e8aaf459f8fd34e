/**
 * Code for a worker thread. Threads do not inherit the hooks that make TypeScript importable on Node 20, so a thread
 * starts from its file with the types taken out, as a `data:` URL: it may import `node:` modules, and of everything
 * else only types. Compiled code is started as it is. Called by `run.ts` for the watchdog and for the trial of kernels.
 */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { transformSync } from 'oxc-transform'

export function threadUrl(path: string): URL {
  const url = pathToFileURL(path)
  if (!path.endsWith('.ts')) return url
  const { code } = transformSync(path, readFileSync(path, 'utf8'), { lang: 'ts', sourceType: 'module' })
  return new URL(`data:text/javascript,${encodeURIComponent(`${code}\n//# sourceURL=${url.href}`)}`)
}

/** For a thread that imports other files: where Node cannot read TypeScript by itself, it starts with the hooks. */
export function threadWithImports(path: string): URL {
  const url = pathToFileURL(path)
  const reads = (process.features as { typescript?: unknown }).typescript
  if (!path.endsWith('.ts') || (reads !== undefined && reads !== false)) return url
  const hooks = import.meta.resolve('tsx/esm/api')
  const start = `import { register } from ${JSON.stringify(hooks)}\nregister()\nawait import(${JSON.stringify(url.href)})`
  return new URL(`data:text/javascript,${encodeURIComponent(start)}`)
}
