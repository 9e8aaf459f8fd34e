/**
 * The trial of a kernel, in a thread that can be ended: a synchronous loop or a promise that never settles costs the
 * thread, not the system. What is tried is `vet-thread.ts`. Handed to kernels by `run.ts`.
 */
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ErrorData } from '../contracts/errors.ts'
import type { VetKernel } from '../contracts/kernel-port.ts'
import { coded, fromErrorData, reasonOf } from '../lib/errors.ts'

export const VET_THREAD = join(import.meta.dirname, `vet-thread${extname(import.meta.filename)}`)

/** A busy machine may take long to start a thread; only what the candidate does is timed strictly. */
const START_MS = 20_000
export const VET_MS = 2_000
const HEAP_MB = 512

export interface VetData {
  vet: true
  root: string
  packageRoot: string
  /** path of the candidate's meta file, from the root */
  metaFile: string
  /** absolute path of the file of the kernel that runs: its meta file may be gone by now */
  incumbent: string
  /** what that kernel was made from; without them it is read */
  texts?: ReadonlyMap<string, string> | undefined
}

/** `ready`: the made-up system runs, and the candidate's turn begins. */
export type VetMessage = { kind: 'ready' } | { kind: 'passed' } | { kind: 'failed'; error: ErrorData }

export interface VetOptions {
  root: string
  packageRoot: string
  /** the code of the thread */
  thread: () => URL
  vet_ms: number
}

export function createVet({ root, packageRoot, thread, vet_ms }: VetOptions): VetKernel {
  return ({ metaFile, incumbent, texts }) =>
    new Promise((resolve, reject) => {
      const workerData: VetData = { vet: true, root, packageRoot, metaFile, incumbent, texts }
      const worker = new Worker(thread(), {
        workerData,
        execArgv: [],
        stdout: true,
        stderr: true,
        resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
      })
      const end = (error?: unknown): void => {
        clearTimeout(timer)
        worker.removeAllListeners()
        // A late error of a thread that is being ended is nobody's.
        worker.on('error', () => undefined)
        void worker.terminate()
        if (error === undefined) resolve()
        else reject(error)
      }
      const late = (): void => end(coded('kernel_vet_timeout', { ms: vet_ms }, { file: metaFile }))
      let timer = setTimeout(late, START_MS)
      worker.on('message', (message: VetMessage) => {
        if (message.kind === 'ready') {
          clearTimeout(timer)
          timer = setTimeout(late, vet_ms)
        } else if (message.kind === 'passed') end()
        else end(fromErrorData(message.error))
      })
      worker.on('error', (thrown) => end(coded('kernel_vet', { reason: reasonOf(thrown) }, { file: metaFile }, thrown)))
      worker.on('exit', (code) =>
        end(coded('kernel_vet', { reason: `its thread ended with ${code}` }, { file: metaFile })),
      )
    })
}
