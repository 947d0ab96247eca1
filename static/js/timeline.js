// The page of the timeline: its months are grids (clipsite/virtual) whose heights are
// estimated by their counts until their pictures come.

import "clipsite/grid";
import { startScrubber } from "clipsite/scrubber";

const sections = [...document.querySelectorAll(".month")];
const scrubber = document.getElementById("scrubber");

if (sections.length > 1) startScrubber(scrubber, sections);
