import { CommandError } from '../../host/host.ts';
import { run } from '../../host/run.ts';
import { list, object, text } from '../../util/decode.ts';
import { decodeImage, MOST, type ServiceImage } from '../code/code.ts';
import type { Compose } from './project.ts';

const decodeInspected = list(
  object({ Id: text('the id of an image', 100), RepoDigests: (value: unknown) => namesIn(value) }),
  1000,
);

/** What each service of a project runs, in the order of their names. */
export async function serviceImages(compose: Compose): Promise<ServiceImage[]> {
  const containers = await compose.containers(compose.services);
  const digests = await digestsOf(compose, [...new Set(containers.map(({ image }) => image))]);
  const images = new Map<string, ServiceImage>();
  for (const { service, image, imageName } of containers) {
    const id = asDigest(image);
    const repository = imageName.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
    const own = digests.get(id) ?? [];
    const digest = own.find((each) => each.startsWith(`${repository}@`)) ?? own[0];
    try {
      images.set(service, decodeImage({ service, image: imageName, id, digest }, service));
    } catch {
      // A name that a receipt could not hold.
    }
  }
  return [...images.values()].toSorted((a, b) => (a.service < b.service ? -1 : 1)).slice(0, MOST);
}

/** Whether the machine has an image of this id. */
export const hasImage = async (compose: Compose, id: string): Promise<boolean> =>
  (await digestsOf(compose, [id])).has(id);

/** What registries know images by, by their ids: those that are there. */
async function digestsOf(
  { engine: { machine, program, as } }: Compose,
  ids: readonly string[],
): Promise<Map<string, readonly string[]>> {
  if (ids.length === 0) return new Map();
  try {
    const told = await run(machine, { argv: [program, 'image', 'inspect', ...ids], as });
    const inspected = decodeInspected(JSON.parse(told), 'images');
    return new Map(inspected.map(({ Id, RepoDigests }) => [asDigest(Id), RepoDigests]));
  } catch (error) {
    if (error instanceof CommandError) return new Map(); // one of them was removed since
    throw error;
  }
}

/** Podman has no `sha256:` in front of its ids. */
const asDigest = (id: string): string => (id.startsWith('sha256:') ? id : `sha256:${id}`);

const namesIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
