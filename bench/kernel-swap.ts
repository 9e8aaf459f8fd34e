/**
 * What a kernel swap costs: how long everything rests, under the load of the reload storm (64 callers in the process,
 * 32 over HTTP, 50 services), and the heap a swap leaves behind. Run: npm run bench -- kernel-swap [swaps]
 */
import { memoryOfSwaps, swapUnderLoad } from '../test/support/kernel-storm.ts'
import { collect, machine, percentile, round, table } from './support.ts'

const swaps = Number(process.argv[2] ?? 200)
const SEED = 1

// First, while nothing else has filled the heap.
const { heap_kb } = await memoryOfSwaps(swaps, collect)
const { counts, calls, pauses, collected } = await swapUnderLoad({ swaps, seed: SEED })
console.log(`### Kernel swaps (${machine()})\n`)
const rows = [
  [
    String(swaps),
    String(calls),
    String(counts.failed.length),
    `${round(percentile(pauses, 0.5))} ms`,
    `${round(percentile(pauses, 0.99))} ms`,
    `${round(heap_kb)} KB`,
    `${round(collected * 100, 1)} %`,
  ],
]
console.log(table(['swaps', 'calls', 'failed', 'pause p50', 'pause p99', 'heap a swap', 'old kernels collected'], rows))
