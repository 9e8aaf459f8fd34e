/** Clients of the Model Context Protocol as others write them: the SDK's own, over streamable HTTP. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ToolListChangedNotificationSchema, type CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { TestSystem } from './system.ts'

export interface McpClient {
  readonly client: Client
  /** names of the tools, sorted as they came */
  names(): Promise<string[]>
  call(name: string, args?: Record<string, unknown>): Promise<CallToolResult>
  /** Resolves when the server says so; one that came since the last look counts. */
  listChanged(): Promise<void>
  /** how often it has said so */
  changes(): number
  close(): Promise<void>
}

export const MCP_FILES = {
  'configs/http.yml': 'prog: services/http\nport: 0\n',
  'configs/tools.yml': 'prog: services/tools\n',
  'configs/mcp.yml': 'prog: services/mcp\n',
}

export function addressOf({ root }: Pick<TestSystem, 'root'>): { url: string; token: string } {
  const { url } = JSON.parse(root.read('runtime/http.json')) as { url: string }
  return { url, token: root.read('runtime/token').trim() }
}

export async function connectHttp(url: string, token: string, name = 'a test'): Promise<McpClient> {
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  return connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }), name)
}

export async function connect(transport: Transport, name = 'a test'): Promise<McpClient> {
  const client = new Client({ name, version: '1' })
  let news = 0
  let seen = 0
  let wake = (): void => {}
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    news++
    wake()
  })
  await client.connect(transport)
  return {
    client,
    names: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (called, args = {}) => (await client.callTool({ name: called, arguments: args })) as CallToolResult,
    listChanged: async () => {
      if (news === seen)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      seen = news
    },
    changes: () => news,
    close: async () => {
      if (transport instanceof StreamableHTTPClientTransport) await transport.terminateSession().catch(() => undefined)
      await client.close()
    },
  }
}

export const textOf = ({ content }: CallToolResult): string =>
  content.map((block) => (block.type === 'text' ? block.text : `(${block.type})`)).join('\n')
