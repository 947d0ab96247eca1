// The page of the timeline: its months are grids (clipsite/grid/virtual) whose heights are
// estimated by their counts until their pictures come.

import "clipsite/grid/keyboard";
import { startScrubber } from "clipsite/timeline/scrubber";

const sections = [...document.querySelectorAll(".month")];
const scrubber = document.getElementById("scrubber");

if (sections.length > 1) startScrubber(scrubber, sections);
