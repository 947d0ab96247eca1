"""Labels: of one's own sets on what one sees, and of sets of the site for whoever sees the
picture."""

from __future__ import annotations

from collections import Counter

from tests.rights.eyes import Eyes


def check_labels(eyes: Eyes) -> None:
    world, viewer = eyes.world, eyes.viewer
    for number, image in enumerate(eyes.rows.images):
        answer = eyes.get(f"images/{image.pk}/labels/")
        if not world.reaches(number, viewer):
            eyes.same("GET images/{id}/labels/", answer.status_code, 404)
            continue
        shown = {row["category"] for row in answer.json()["results"]}
        eyes.same("GET images/{id}/labels/", shown, world.labels_of(number, viewer))
    seen = world.seen(viewer)
    for number, sorting in enumerate(world.sortings):
        for name, pictures in (("machine", sorting.labelled), ("human", sorting.said)):
            known = number in world.seen_sortings(viewer)
            wanted = seen & pictures if known else set()
            found = eyes.found("images/", category=f"{name} {number}")
            eyes.same("GET images/?category=", found, sorted(wanted))
            found = eyes.found("images/", category=f"-{name} {number}")
            eyes.same("GET images/?category=-", found, sorted(seen - wanted))
            line = f'category:"{name} {number}"'
            eyes.same("GET search/?q=category:", eyes.found("search/", q=line), sorted(wanted))


def check_label_reasons(eyes: Eyes) -> None:
    """The answered pictures that explain a label, and the charts of a set."""
    world, viewer = eyes.world, eyes.viewer
    seen = world.seen(viewer)
    for number, sorting in enumerate(world.sortings):
        known = number in world.seen_sortings(viewer)
        label_set = eyes.rows.label_sets[number]
        category = label_set.categories.get(name=f"human {number}")
        picture = eyes.chance.randrange(len(eyes.rows.images))
        at = f"images/{eyes.rows.images[picture].pk}/labels/{category.pk}/why/"
        answer = eyes.get(at)
        may = known and world.reaches(picture, viewer)
        eyes.same("GET …/labels/{category}/why/", answer.status_code, 200 if may else 404)
        if may:
            shown = {eyes.number(one["image"]) for one in answer.json()["yes"]}
            wanted = seen & sorting.said - {picture}
            eyes.same("GET …/why/ yes", (shown - wanted, len(shown)), (set(), min(4, len(wanted))))
        page = eyes.pages.get(f"/categories/{label_set.pk}/charts/")
        eyes.same("/categories/{id}/charts/", page.status_code, 200 if known else 404)
        if known:
            shares = page.context["shares"]
            counts = (len(seen), len(seen & (sorting.labelled | sorting.said)))
            eyes.same("/categories/{id}/charts/ counts", (shares.pictures, shares.labelled), counts)


def check_label_counts(eyes: Eyes) -> None:
    world, viewer = eyes.world, eyes.viewer
    wanted = Counter(name for n in world.seen(viewer) for name in world.labels_of(n, viewer))
    counted = {row["name"]: row["count"] for row in eyes.get("images/categories/").json()}
    eyes.same("GET images/categories/", counted, wanted)
    offered = eyes.get("search/complete/", q="category:").json()["suggestions"]
    names = {one["insert"].strip('"') for one in offered if one["kind"] == "value"}
    known = {
        f"{kind} {number}"
        for number in world.seen_sortings(viewer)
        for kind in ("machine", "human")
    }
    eyes.same("GET search/complete/ category:", names, known)


def check_label_sets(eyes: Eyes) -> None:
    world, viewer = eyes.world, eyes.viewer
    listed = {row["name"] for row in eyes.get("label-sets/").json()["results"]}
    eyes.same("GET label-sets/", listed, {f"s{n}" for n in world.seen_sortings(viewer)})
    for number, sorting in enumerate(world.sortings):
        at = f"label-sets/{eyes.rows.label_sets[number].pk}/"
        seen, owned = number in world.seen_sortings(viewer), sorting.owner == viewer is not None
        eyes.same("GET label-sets/{id}/", eyes.get(at).status_code, 200 if seen else 404)
        for rest in ("jobs/", "quality/", "next/", "doubts/"):
            if not owned:
                eyes.same(f"GET label-sets/{{id}}/{rest}", eyes.get(f"{at}{rest}").status_code, 404)
        renamed = eyes.status("patch", at, {"name": "x"})
        eyes.same("PATCH label-sets/{id}/", renamed, 200 if owned else 404)
        removed = eyes.status("delete", at)
        eyes.same("DELETE label-sets/{id}/", removed, 200 if owned else 404)
        for picture, image in enumerate(eyes.rows.images):
            said = [{"image": str(image.pk), "category": f"human {number}", "verdict": False}]
            status = eyes.status("post", f"{at}answers/", {"answers": said})
            may = world.sees(picture, viewer) if owned else picture in world.owned(viewer)
            wanted = 404 if viewer is None or not seen else 200 if may else 400
            eyes.same("POST label-sets/{id}/answers/", status, wanted)


def check_label_pages(eyes: Eyes) -> None:
    world, viewer = eyes.world, eyes.viewer
    if viewer is None:
        eyes.same("page categories", eyes.pages.get("/categories/").status_code, 302)
        return
    overview = eyes.pages.get("/categories/").content.decode()
    seen = world.seen(viewer)
    for number, sorting in enumerate(world.sortings):
        label_set = eyes.rows.label_sets[number]
        at = f"/categories/{label_set.pk}/"
        known, owned = number in world.seen_sortings(viewer), sorting.owner == viewer
        eyes.same("page categories", at in overview, known)
        for rest, allowed in (("", known), ("state/", known), ("edit/", owned)):
            status = eyes.pages.get(f"{at}{rest}").status_code
            eyes.same(f"page category set {rest}", status, 200 if allowed else 404)
        for rest in ("preview/", "apply/", "undo/", "delete/"):
            if not owned:
                eyes.same(f"page {rest}", eyes.pages.post(f"{at}{rest}").status_code, 404)
        for category in label_set.categories.all():
            pictures = sorting.said if category.name.startswith("human") else sorting.labelled
            page = f"{at}{category.pk}/"
            if not known:
                eyes.same("page category", eyes.pages.get(page).status_code, 404)
                eyes.same("page sheet", eyes.pages.get(f"{page}sheet/").status_code, 404)
                continue
            for order in ("surest", "doubtful", "newest"):
                shown = eyes.on_page(f"{page}?by={order}")
                eyes.same("page category", shown, sorted(seen & pictures))
            sheet = eyes.pages.get(f"{page}sheet/").content.decode()
            listed = sorted(
                place
                for place, image in enumerate(eyes.rows.images)
                if f"/images/{image.pk}/" in sheet
            )
            eyes.same("page sheet", listed, sorted(seen & pictures))
