/** Stands for a warehouse: how many of an article there are. */
export class Module {
  async free(sku: string): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 2))
    return (sku.length * 37) % 100
  }
}
