import { CommandError } from '../../host/host.ts';
import { run } from '../../host/run.ts';
import { type Decoded, list, object, text } from '../../util/decode.ts';
import { decodeImage, MOST, type ServiceImage } from '../code/code.ts';
import type { Engine } from './container-host.ts';
import type { Compose } from './project.ts';

const names = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

const decodeInspected = list(
  object({ Id: text('the id of an image', 100), RepoDigests: names, RepoTags: names }),
  1000,
);

/** What a machine knows an image by. */
type KnownImage = Decoded<typeof decodeInspected>[number];

/** What each service of a project runs, in the order of their names. */
export async function serviceImages(compose: Compose): Promise<ServiceImage[]> {
  const containers = await compose.containers(compose.services);
  const inspected = await inspect(compose.engine, [...new Set(containers.map(({ image }) => image))]);
  const images = new Map<string, ServiceImage>();
  for (const { service, image, imageName } of containers) {
    const id = asDigest(image);
    const repository = imageName.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
    const own = inspected.get(id)?.RepoDigests ?? [];
    const digest = own.find((each) => each.startsWith(`${repository}@`)) ?? own[0];
    try {
      images.set(service, decodeImage({ service, image: imageName, id, digest }, service));
    } catch {
      // A name that a receipt could not hold.
    }
  }
  return [...images.values()].toSorted((a, b) => (a.service < b.service ? -1 : 1)).slice(0, MOST);
}

/**
 * Whether the machine has an image of this id, and knows it by the name and the digest as well: the command that
 * switches images gets all three, and may fetch any of them.
 */
export async function hasImage(engine: Engine, { id, image, digest }: ServiceImage): Promise<boolean> {
  const found = (await inspect(engine, [id])).get(id);
  if (!found) return false;
  const known = new Set([...found.RepoTags, ...found.RepoDigests, id].map(wholeName));
  return [image, ...(digest === undefined ? [] : [digest])].every((name) => known.has(wholeName(name)));
}

/** Docker leaves out its own registry, and the tag `latest`; Podman leaves out nothing. Beside a digest, no tag counts. */
const wholeName = (name: string): string =>
  (/[:@][^/]*$/.test(name) ? name : `${name}:latest`)
    .replace(/^docker\.io\/(?:library\/)?/, '')
    .replace(/:[^/:@]*@/, '@');

/** What is known of images, by their ids: of those that are there. */
async function inspect(
  { machine, program, as }: Engine,
  ids: readonly string[],
): Promise<Map<string, KnownImage>> {
  if (ids.length === 0) return new Map();
  try {
    const told = await run(machine, { argv: [program, 'image', 'inspect', ...ids], as });
    return new Map(decodeInspected(JSON.parse(told), 'images').map((each) => [asDigest(each.Id), each]));
  } catch (error) {
    if (error instanceof CommandError) return new Map(); // one of them was removed since
    throw error;
  }
}

/** Podman has no `sha256:` in front of its ids. */
const asDigest = (id: string): string => (id.startsWith('sha256:') ? id : `sha256:${id}`);
