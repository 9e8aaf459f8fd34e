/**
 * How long a thousand config files take to be applied when all of them are written at once, half of them to what cannot
 * be used: from the last write until every service is as its file is, under calls. Each wave is written by a thread of
 * this process, with half-written files, links, moves and removals in it. Run: npm run bench -- storm [waves [files]]
 */
import { FileStorm, type WaveReport } from '../test/support/storm-files.ts'
import { machine, percentile, round, table } from './support.ts'

const WAVES = Number(process.argv[2] ?? 20)
const FILES = Number(process.argv[3] ?? 1_000)

const storm = await FileStorm.start(1, FILES)
const reports: WaveReport[] = []
for (let wave = 0; wave < WAVES; wave++) reports.push(await storm.run())
await storm.stop()

const times = reports.map((report) => report.converged_ms)
const sum = (read: (report: WaveReport) => number): string =>
  String(reports.reduce((total, report) => total + read(report), 0))
const cells = [0.5, 0.95, 1].map((share) => round(percentile(times, share), 0))
console.log(`### Storm: ${FILES} config files at once, ${WAVES} waves (${machine()})\n`)
console.log(
  table(
    ['applied after p50 ms', 'p95', 'max', 'calls', 'failed', 'wrong'],
    [[...cells, sum(({ calls }) => calls), sum(({ failed }) => failed.length), sum(({ wrong }) => wrong.length)]],
  ),
)
process.exit(0)
