from gallery.models.access import ApiToken, Invitation, TokenBinding
from gallery.models.album import Album, AlbumItem
from gallery.models.analysis import Analysis, Backfill, Outage
from gallery.models.embedding import ConceptVectors, Embedding, EmbeddingSpace
from gallery.models.explore import ExploreMap, MapCluster, MapPoint
from gallery.models.image import Image
from gallery.models.labels import (
    Answer,
    Category,
    CategoryVector,
    Label,
    LabelFit,
    LabelJob,
    LabelSet,
    LabelSetVersion,
    Question,
)
from gallery.models.notice import Notice
from gallery.models.organising import Change, Download, Favourite, Tag
from gallery.models.portrait import Portrait
from gallery.models.searching import (
    NearDuplicate,
    RecallMeasurement,
    SavedSearch,
    SearchRecord,
)
from gallery.models.share import AlbumRole, AlbumShare, Group, ShareLink
from gallery.models.trail import SecurityEvent
from gallery.models.upload import ImportBatch, ImportItem, ResumableUpload
from gallery.models.user import User, Viewer

__all__ = [
    "Album",
    "AlbumItem",
    "AlbumRole",
    "AlbumShare",
    "Analysis",
    "Answer",
    "ApiToken",
    "Backfill",
    "Category",
    "CategoryVector",
    "Change",
    "ConceptVectors",
    "Download",
    "Embedding",
    "EmbeddingSpace",
    "ExploreMap",
    "Favourite",
    "Group",
    "Image",
    "ImportBatch",
    "ImportItem",
    "Invitation",
    "Label",
    "LabelFit",
    "LabelJob",
    "LabelSet",
    "LabelSetVersion",
    "MapCluster",
    "MapPoint",
    "NearDuplicate",
    "Notice",
    "Outage",
    "Portrait",
    "Question",
    "RecallMeasurement",
    "ResumableUpload",
    "SavedSearch",
    "SearchRecord",
    "SecurityEvent",
    "ShareLink",
    "Tag",
    "TokenBinding",
    "User",
    "Viewer",
]
