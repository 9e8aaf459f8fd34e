/** Every inference service that comes with the product keeps what all of them promise; models are scripted, over HTTP. */
import { LLMock } from '@copilotkit/aimock'
import { inferenceConformance, type InferenceBench } from '../conformance/inference.ts'
import { stopAtOnce } from '../support/scripted-server.ts'
import { startSystem } from '../support/system.ts'

async function scripted(config: (server: LLMock) => string): Promise<InferenceBench> {
  const server = new LLMock({ port: 0, host: '127.0.0.1' })
  server.on({ model: /.+/ }, { content: 'Hedgehogs are nocturnal, and mind their own business.' }, { chunkSize: 4 })
  await server.start()
  const system = await startSystem({ 'configs/model.yml': `prog: inference/openai\n${config(server)}` })
  return { system, api: 'model', stop: () => stopAtOnce(server) }
}

inferenceConformance('the offline planner', async () => ({
  system: await startSystem({ 'configs/inference/offline.yml': 'api: offline\n' }),
  api: 'offline',
  stop: async () => undefined,
}))
inferenceConformance('a provider by its address', () => scripted(({ url }) => `base_url: ${url}/v1\nmodel: scripted\n`))
inferenceConformance('a server found on this machine', () =>
  scripted(({ port }) => `local_ports: [${port}]\nlocal_probe_ms: 900\n`),
)
