/**
 * Runs all collectors side by side, each within its time, and puts together what they say: every path of the catalogue,
 * null where nothing is known. One that fails or is late leaves the others as they are. What it says late is not heard.
 */
import type { MetricDomain, MetricSnapshot, MetricValue } from '../../contracts/meta-metrics.ts'
import { reasonOf } from '../../lib/errors.ts'
import { CATALOGUE } from './catalogue.ts'
import { budget } from './collectors/budget.ts'
import { coordination } from './collectors/coordination.ts'
import { errors } from './collectors/errors.ts'
import { evolution } from './collectors/evolution.ts'
import { memory } from './collectors/memory.ts'
import { operation } from './collectors/operation.ts'
import { performance } from './collectors/performance.ts'
import { scaling } from './collectors/scaling.ts'
import { stability } from './collectors/stability.ts'
import { telemetry } from './collectors/telemetry.ts'
import { Look, type Collector, type Scene, type Values } from './look.ts'

const COLLECTORS: readonly Collector[] = [
  performance,
  budget,
  coordination,
  scaling,
  errors,
  evolution,
  telemetry,
  operation,
  memory,
  stability,
]

const DIGITS = 1e6

type Collected = Pick<MetricSnapshot, 'values' | 'errors'>

export async function collectAll(scene: Scene, collectors: readonly Collector[] = COLLECTORS): Promise<Collected> {
  const over = new AbortController()
  const late = lateAfter(scene, over.signal)
  const found = await Promise.all(collectors.map((one) => collectOne(one, scene, late))).finally(() => over.abort())
  const values = new Map<MetricDomain, Values>(found.map(({ domain, values: some }) => [domain, some]))
  const troubles = found.filter(({ trouble }) => trouble !== '')
  return {
    values: Object.fromEntries(
      CATALOGUE.map(({ path, domain }) => [path, cleaned(values.get(domain)?.[path.slice(domain.length + 1)])]),
    ),
    errors: Object.fromEntries(troubles.map(({ domain, trouble }) => [domain, trouble])),
  }
}

/** One wait for all: they begin at the same moment. */
function lateAfter({ kernel, config }: Scene, signal: AbortSignal): Promise<never> {
  const late = kernel.sleep(config.collector_ms, signal).then(() => {
    throw new Error(`it took longer than ${config.collector_ms} ms`)
  })
  // Nobody waits for it any more when all have answered.
  late.catch(() => undefined)
  return late
}

interface Found {
  domain: MetricDomain
  values: Values
  trouble: string
}

async function collectOne({ domain, collect }: Collector, scene: Scene, late: Promise<never>): Promise<Found> {
  const look = new Look(scene)
  const work = (async () => collect(look))()
  work.catch(() => undefined)
  try {
    const values = await Promise.race([work, late])
    return { domain, values, trouble: look.troubles.join('; ') }
  } catch (thrown) {
    return { domain, values: {}, trouble: reasonOf(thrown) }
  }
}

/** What is no number is not known. */
function cleaned(given: MetricValue | undefined): MetricValue {
  if (given === undefined || given.value === null || !Number.isFinite(given.value))
    return { value: null, samples: given?.samples ?? 0 }
  return { value: Math.round(given.value * DIGITS) / DIGITS, samples: given.samples }
}
