"""3D segmentation: masks of an object in all views of a scene, from one prompt.

After Cen et al., "Segment Anything in 3D with NeRFs" (SA3D), NeurIPS 2023:

1. ``scene`` reads posed photos, ``pose_check`` compares them, and ``frame`` lays a
   grid over what they show
2. ``field`` and ``fitting``: a radiance field of density and colour on that grid
3. ``mask_grid``: mask inverse rendering, from masks in views into the grid
4. ``self_prompting``: prompts of the next view from the mask that the grid shows there
5. ``segmentation`` goes from view to view; ``report`` writes and measures the masks
"""
