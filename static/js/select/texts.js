// Messages and addresses of the selection scripts (gallery/web/pictures/bulk.py).

import { fill } from "clipsite/base/messages";

const found = document.getElementById("bulk-config");

/** Visitors select nothing: their pages have no bar (templates/gallery/bulk_bar.html). */
export const canSelect = Boolean(found);

export const config = found ? JSON.parse(found.textContent) : { texts: {} };
export const texts = config.texts;

/** Return the address of an album's page. */
export const pageOf = (id) => config.album.replace(config.anyAlbum, id);

/** Return the address of the home page with the pictures of these days. */
export const pageOfDays = ({ first, last }) => `${config.days}?${new URLSearchParams({ from: first, to: last })}`;

/** Return a sentence about `count` things, from its forms [one, many]. */
export const counted = (forms, count, values) =>
  fill(forms[count === 1 ? 0 : 1], { count, ...values });
